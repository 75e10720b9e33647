'use strict';
// Inner parts of readable-stream, for its own tests.
module.exports = {
  BufferList: require('npm:readable-stream/lib/internal/streams/buffer_list.js'),
  compose: require('npm:readable-stream/lib/internal/streams/compose.js'),
  addAbortSignal: require('npm:readable-stream/lib/internal/streams/add-abort-signal.js'),
  primordials: require('npm:readable-stream/lib/ours/primordials.js'),
};
