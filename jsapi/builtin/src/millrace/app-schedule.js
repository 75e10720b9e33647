'use strict';
// Work at times: every(interval) and cron's way of saying when.
const { coded, check } = require('../internal/errors.js');

const FIELDS = [
  { name: 'second', from: 0, to: 59 },
  { name: 'minute', from: 0, to: 59 },
  { name: 'hour', from: 0, to: 23 },
  { name: 'day', from: 1, to: 31 },
  { name: 'month', from: 1, to: 12, words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { name: 'weekday', from: 0, to: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];
const SHORT = {
  '@hourly': '0 * * * *', '@daily': '0 0 * * *', '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0', '@monthly': '0 0 1 * *', '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *',
};

const wrong = (text, why) => coded(TypeError, 'ERR_INVALID_ARG_VALUE', `'${text}' is no schedule: ${why}`);

function number(text, field, whole) {
  const word = field.words?.indexOf(text.toLowerCase()) ?? -1;
  const n = word >= 0 ? word + (field.from === 1 ? 1 : 0) : Number(text);
  if (text === '' || !Number.isInteger(n) || n < field.from || n > field.to) {
    throw wrong(whole, `${text || 'nothing'} is no ${field.name}, ${field.from} to ${field.to}`);
  }
  return n;
}

// numbers is the set that one field means.
function numbers(text, field, whole) {
  const set = new Set();
  for (const part of text.split(',')) {
    const [range, step = '1'] = part.split('/');
    const by = Number(step);
    if (!Number.isInteger(by) || by < 1) throw wrong(whole, `${part} has no step`);
    let [low, high] = [field.from, field.name === 'weekday' ? 6 : field.to];
    if (range !== '*') {
      const ends = range.split('-');
      low = number(ends[0], field, whole);
      high = ends.length > 1 ? number(ends[1], field, whole) : part.includes('/') ? high : low;
      if (ends.length > 2 || high < low) throw wrong(whole, `${range} is no range`);
    }
    for (let n = low; n <= high; n += by) set.add(field.name === 'weekday' ? n % 7 : n);
  }
  return set;
}

/** Cron is a line of cron's, of five fields or, with seconds, six; times are local. */
class Cron {
  constructor(text) {
    check.string(text, 'schedule');
    const parts = (SHORT[text] ?? text).trim().split(/\s+/);
    if (parts.length === 5) parts.unshift('0');
    if (parts.length !== 6) throw wrong(text, 'write minute, hour, day of month, month and weekday, as in */5 * * * *');
    [this.second, this.minute, this.hour, this.day, this.month, this.weekday] = parts.map((p, i) => numbers(p, FIELDS[i], text));
    this.anyDay = parts[3] === '*';
    this.anyWeekday = parts[5] === '*';
    this.text = text;
    if (this.next(new Date(2024, 0, 1)) === undefined) throw wrong(text, 'there is no such day');
  }

  onDay(t) {
    const day = this.day.has(t.getDate());
    const weekday = this.weekday.has(t.getDay());
    if (this.anyDay || this.anyWeekday) return day && weekday;
    return day || weekday; // as cron has it
  }

  /** next is the first time after t. */
  next(after) {
    const t = new Date(after);
    t.setMilliseconds(0);
    t.setSeconds(t.getSeconds() + 1);
    const end = t.getFullYear() + 9; // 29 February comes within eight years
    while (t.getFullYear() < end) {
      if (!this.month.has(t.getMonth() + 1)) {
        t.setMonth(t.getMonth() + 1, 1);
        t.setHours(0, 0, 0);
      } else if (!this.onDay(t)) {
        t.setDate(t.getDate() + 1);
        t.setHours(0, 0, 0);
      } else if (!this.hour.has(t.getHours())) {
        t.setHours(t.getHours() + 1, 0, 0);
      } else if (!this.minute.has(t.getMinutes())) {
        t.setMinutes(t.getMinutes() + 1, 0);
      } else if (!this.second.has(t.getSeconds())) {
        t.setSeconds(t.getSeconds() + 1);
      } else {
        return t;
      }
    }
    return undefined;
  }
}

// work calls fn unless its last call still runs.
function work(fn) {
  let busy = false;
  return () => {
    if (busy) return;
    const done = fn();
    if (typeof done?.then !== 'function') return;
    busy = true;
    const over = () => { busy = false; };
    done.then(over, (error) => { over(); throw error; });
  };
}

const LONGEST = 2 ** 31 - 1; // of a timer

exports.schedule = (text, fn) => {
  const cron = new Cron(text);
  check.function(fn, 'fn');
  const run = work(fn);
  let timer;
  const job = {
    next: undefined,
    stop() { clearTimeout(timer); job.next = undefined; },
  };
  const wait = () => {
    const left = job.next - Date.now();
    timer = setTimeout(() => {
      if (Date.now() < job.next) return wait();
      set(job.next);
      run();
    }, Math.min(Math.max(left, 0), LONGEST));
  };
  const set = (after) => {
    job.next = cron.next(new Date(Math.max(after, Date.now())));
    wait();
  };
  set(Date.now());
  return job;
};

exports.every = (interval, fn) => {
  check.function(fn, 'fn');
  const timer = setInterval(work(fn), interval);
  return { stop() { clearInterval(timer); } };
};

exports.Cron = Cron;
