// `npm run dev`: Vite, with the stand-in behind it unless $TOCSIN_URL names a real server.
import { createServer } from 'vite';
import { LOGIN_TOKEN, startMock } from './server.mjs';

if (!process.env.TOCSIN_URL) {
  const { url } = await startMock({ port: 0, story: true });
  process.env.TOCSIN_URL = url;
  console.log(`Stand-in for the server at ${url}; sign in at http://127.0.0.1:5173/ui/login?token=${LOGIN_TOKEN}`);
}
const vite = await createServer();
await vite.listen();
vite.printUrls();
