// How the browser's side is built, served in development and unit-tested.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { precompress } from './build/precompress.ts';

const api = process.env['TOCSIN_URL'] ?? 'http://127.0.0.1:8701';

export default defineConfig({
  base: '/ui/',
  plugins: [svelte(), precompress()],
  worker: { format: 'es' },
  build: {
    // Data URLs are allowed for images only, and never for workers: keep everything a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: { '/api': { target: api, changeOrigin: false } },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
