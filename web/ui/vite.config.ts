import { defineConfig, type Plugin } from 'vite';

// Where `vite dev` finds a server to show: any running one.
const server = 'http://localhost:8080';

/** Any /watch/{path} is the one player page, as the Go server has it. */
const watchPage: Plugin = {
  name: 'watch-page',
  configureServer(dev) {
    dev.middlewares.use((req, _res, next) => {
      if (req.url?.startsWith('/watch/') && req.headers.accept?.includes('text/html')) req.url = '/watch.html';
      next();
    });
  },
};

export default defineConfig({
  base: '/',
  plugins: [watchPage],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0, // everything is a file: the pages' policy forbids inline code
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: { input: { index: 'index.html', watch: 'watch.html' } },
  },
  server: {
    proxy: Object.fromEntries(['/api', '/hls', '/thumb', '/watch'].map((path) => [path, { target: server, ws: true, changeOrigin: true }])),
  },
});
