'use strict';
// Subtitles as the API writes them, out of what scripts say.
const { coded } = require('../internal/errors.js');
const { when } = require('./marker.js');

const known = new Set(['subtitles', 'text', 'start', 'time', 'duration', 'line', 'position', 'align']);

exports.caption = (options) => {
  if (options === null || typeof options !== 'object') {
    throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `a text in subtitles is described by an object; got ${options === null ? 'null' : typeof options}`);
  }
  const other = Object.keys(options).find((name) => !known.has(name));
  if (other !== undefined) throw coded(TypeError, 'ERR_INVALID_ARG_VALUE', `a text in subtitles has no ${other}; it has ${[...known].join(', ')}`);
  for (const name of ['subtitles', 'text']) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw coded(TypeError, 'ERR_INVALID_ARG_TYPE', `${name} is a text that is not empty; got ${typeof options[name]}`);
    }
  }
  const { subtitles, time, ...cue } = options;
  return { subtitles, time, cue: { ...cue, start: when(cue.start) } };
};
