// A small input that grows a thousandfold is read no faster than its reader reads.
const zlib = require('zlib');
const gunzip = zlib.createGunzip();
let n = 0;
gunzip.on('readable', () => {
  const chunk = gunzip.read();
  if (chunk === null || ++n > 3) return;
  if (gunzip.readableLength > 1 << 20) console.log('read ahead', gunzip.readableLength);
  if (n === 3) {
    console.log('enough');
    gunzip.destroy();
  }
});
gunzip.on('close', () => console.log('closed'));
gunzip.write(zlib.gzipSync(Buffer.alloc(16 << 20)));
