const big = Buffer.alloc(16 << 20);
let open = 0;

export default function (req, res) {
  open++;
  res.on('close', () => {
    open--;
    if (req.url === '/never') console.log('left', req.url);
  });
  switch (req.url) {
    case '/never':
      console.log('asked', req.url);
      break;
    case '/big':
      res.end(big);
      break;
    case '/read':
      req.on('error', () => {});
      req.on('end', () => res.end('read'));
      req.resume();
      break;
    case '/polluted':
      res.end(`${{}.polluted ?? [].constructor.x}`);
      break;
    case '/open':
      res.end(`${open - 1}`);
      break;
    default:
      res.end(`${req.method} ${req.url}`);
  }
}
