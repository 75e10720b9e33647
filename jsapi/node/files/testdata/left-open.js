const fs = require('fs');
for (let i = 0; i < 50; i++) {
  fs.openSync(__filename);
  fs.createReadStream(__filename).once('open', function () { this.pause(); });
}
fs.watch(__dirname).unref();
