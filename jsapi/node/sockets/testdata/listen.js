const attempt = (name, f) => {
  try {
    f();
    console.log(name, 'listens');
  } catch (e) {
    console.log(name, e.code, e.message);
  }
};
attempt('net', () => require('net').createServer().listen(0, '127.0.0.1'));
attempt('http', () => require('http').createServer().listen(0));
attempt('path', () => require('net').createServer().listen('./x.sock'));
