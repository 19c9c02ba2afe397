// A real Tocsin for one walk alone, in an empty folder that goes with it: set up, served and ended. $TOCSIN_BINARY names the program.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const API = '/api/tocsin/v1';
/** One that was asked to end and has not by then is made to. */
const END_MS = 20_000;

/** Serves with these files in its folder, `tocsin.toml` among them; `config` gets the public address of the server. */
export async function startTocsin({ admin, files, config }) {
  const binary = process.env.TOCSIN_BINARY;
  assert.ok(binary, '$TOCSIN_BINARY is not set');
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-walk-'));
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  for (const [name, text] of Object.entries({ ...files, 'tocsin.toml': config(url) })) await writeFile(join(dir, name), text);
  const place = ['--data', join(dir, 'data'), '--config', join(dir, 'tocsin.toml')];
  const setUp = await promisify(execFile)(binary, ['setup', ...place, '--admin-email', admin.email, '--admin-name', admin.name], { cwd: dir });
  const { login_url, api_token } = JSON.parse(setUp.stdout);

  const child = spawn(binary, ['serve', ...place, '--listen', address], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const said = [];
  const ready = new Promise((done) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        if (line.includes('Tocsin is ready at')) done(true);
      });
    }
  });
  const stop = async () => {
    const limit = setTimeout(kill, END_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(limit);
    process.removeListener('exit', kill);
    await rm(dir, { recursive: true, force: true });
  };
  if (!(await Promise.race([ready, ended.then(() => false)]))) assert.fail(`it ended before it was ready:\n${said.join('\n')}`);

  /** What anybody with the administrator's token does by the API. */
  async function api(method, path, body) {
    const answer = await fetch(url + API + path, {
      method,
      headers: { Authorization: `Bearer ${api_token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} was answered ${answer.status}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }
  return { url, loginUrl: login_url, api, stop };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
