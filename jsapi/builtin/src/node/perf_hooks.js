'use strict';
const { now, origin } = internalBinding('clock');

class Performance {
  #marks = [];
  get timeOrigin() { return origin; }
  now() { return now(); }
  toJSON() { return { timeOrigin: origin }; }
  mark(name, options) {
    const entry = { name: `${name}`, entryType: 'mark', startTime: options?.startTime ?? now(), duration: 0, detail: options?.detail ?? null };
    this.#marks.push(entry);
    return entry;
  }

  measure(name, from, to) {
    const at = (mark, otherwise) => {
      if (typeof mark === 'number') return mark;
      if (mark === undefined) return otherwise;
      const entry = this.getEntriesByName(mark, 'mark').at(-1);
      if (!entry) throw new SyntaxError(`The "${mark}" performance mark has not been set`);
      return entry.startTime;
    };
    const options = from !== null && typeof from === 'object' ? from : { start: from, end: to };
    const end = at(options.end, options.duration === undefined ? now() : at(options.start, 0) + options.duration);
    const start = at(options.start, options.duration === undefined ? 0 : end - options.duration);
    const entry = { name: `${name}`, entryType: 'measure', startTime: start, duration: end - start, detail: options.detail ?? null };
    this.#marks.push(entry);
    return entry;
  }

  getEntries() { return this.#marks.slice().sort((a, b) => a.startTime - b.startTime); }
  getEntriesByName(name, type) { return this.getEntries().filter((e) => e.name === name && (type === undefined || e.entryType === type)); }
  getEntriesByType(type) { return this.getEntries().filter((e) => e.entryType === type); }
  clearMarks(name) { this.#marks = this.#marks.filter((e) => e.entryType !== 'mark' || name !== undefined && e.name !== name); }
  clearMeasures(name) { this.#marks = this.#marks.filter((e) => e.entryType !== 'measure' || name !== undefined && e.name !== name); }
  timerify(f) { return f; }
  eventLoopUtilization() { return { idle: 0, active: 0, utilization: 0 }; }
}

module.exports = { performance: new Performance(), Performance, constants: {} };
