// Drives Tocsin with `@pagerduty/pdjs`, PagerDuty's JavaScript library. It calls names of its choice without a port, and finds what it
// was sent only under a name that ends in .com, so it is told one: a connection to that name is made to Tocsin, as a name server and
// a forwarded port would.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRequire } from 'node:module';
import tls from 'node:tls';

const house = JSON.parse(readFileSync(process.argv[2], 'utf8'));
// The library is installed beside the build output, not beside this file.
const { api, event, acknowledge, change, resolve, trigger } = createRequire(process.argv[3])('@pagerduty/pdjs');
const server = 'tocsin.example.com';
const { hostname, port } = new URL(house.url);
const ca = readFileSync(house.ca);
https.globalAgent.createConnection = (options) => {
  assert.equal(options.host, server, 'nobody else is called');
  const rest = { ...options, host: hostname, port, ca };
  // The certificate is for an address, and no name is told to whoever is called by address.
  delete rest.servername;
  return tls.connect(rest);
};

const pd = api({ token: house.token, server, headers: { From: house.email } });
const service = { id: house.service, type: 'service_reference' };
const mine = { 'service_ids[]': [house.service], date_range: 'all' };

async function whoAsksIsKnown() {
  const me = await pd.get('/users/me');
  assert.equal(me.response.status, 200);
  assert.equal(me.data.user.email, house.email);
  const bearer = await api({ token: house.token, tokenType: 'bearer', server, endpoint: '/users/me' });
  assert.equal(bearer.data.user.id, house.person);
  const stranger = await api({ token: 'y_NbAkKc66ryYTWUXYEu', server, endpoint: '/users' });
  assert.equal(stranger.response.status, 401);
  assert.equal(stranger.data.error.code, 2006);
}

async function incidentsAreOpenedTakenAndEnded() {
  const data = { incident: { type: 'incident', title: 'By pdjs', service } };
  const opened = await pd.post('/incidents', { data });
  assert.equal(opened.response.status, 201);
  assert.equal(opened.resource.title, 'By pdjs');
  assert.equal(opened.resource.service.id, house.service);
  const path = `/incidents/${opened.resource.id}`;
  const set = async (status) => {
    const done = await pd.put(path, { data: { incident: { type: 'incident_reference', status } } });
    assert.equal(done.response.status, 200);
    assert.equal(done.resource.status, status);
  };
  await set('acknowledged');
  const note = await pd.post(`${path}/notes`, { data: { note: { content: 'by pdjs' } } });
  assert.equal(note.response.status, 200);
  assert.equal(note.data.note.content, 'by pdjs');
  await set('resolved');
  const again = await pd.put(path, { data: { incident: { type: 'incident_reference', status: 'resolved' } } });
  assert.equal(again.response.status, 400);
  assert.equal(again.data.error.code, 1001);
}

async function listsArePagedThrough() {
  for (const number of [1, 2, 3, 4]) {
    const data = { incident: { type: 'incident', title: `crowd ${number}`, urgency: 'low', service } };
    assert.equal((await pd.post('/incidents', { data })).response.status, 201);
  }
  const asked = { ...mine, 'urgencies[]': ['low'], limit: '2', sort_by: 'incident_number:asc', total: 'true' };
  const first = await pd.get('/incidents', { data: asked });
  assert.deepEqual(first.resource.map((one) => one.title), ['crowd 1', 'crowd 2']);
  assert.deepEqual([first.data.limit, first.data.offset, first.data.more, first.data.total], [2, 0, true, 4]);
  const second = await first.next();
  assert.deepEqual(second.resource.map((one) => one.title), ['crowd 3', 'crowd 4']);
  assert.equal(second.next, undefined);
  const all = await pd.all('/incidents', { data: asked });
  assert.deepEqual(all.resource.map((one) => one.title), ['crowd 1', 'crowd 2', 'crowd 3', 'crowd 4']);
  assert.deepEqual(all.data.map((page) => page.offset), [0, 2]);
  const incidents = all.resource.map((one) => ({ id: one.id, type: 'incident_reference', status: 'resolved' }));
  const ended = await pd.put('/incidents', { data: { incidents } });
  assert.deepEqual(new Set(ended.data.incidents.map((one) => one.status)), new Set(['resolved']));
}

async function teamsComeAndGo() {
  const made = await pd.post('/teams', { data: { team: { type: 'team', name: 'Team of pdjs' } } });
  assert.deepEqual([made.response.status, made.resource.name], [201, 'Team of pdjs']);
  const gone = await pd.delete(`/teams/${made.resource.id}`);
  assert.equal(gone.response.status, 204);
  const missing = await pd.get(`/teams/${made.resource.id}`);
  assert.deepEqual([missing.response.status, missing.data.error.code], [404, 2100]);
}

async function eventsOpenTakeAndEndOneIncident() {
  const status = async () => {
    const found = await pd.get('/incidents', { data: { ...mine, incident_key: 'pdjs' } });
    return found.resource.map((one) => [one.title, one.status]);
  };
  const key = { routing_key: house.routing_key, dedup_key: 'pdjs' };
  const payload = { summary: 'An event of pdjs', source: 'web1', severity: 'critical' };
  const sent = await event({ server, data: { ...key, event_action: 'trigger', payload } });
  assert.equal(sent.response.status, 202);
  assert.deepEqual([sent.data.status, sent.data.dedup_key], ['success', 'pdjs']);
  assert.equal((await trigger({ server, data: { ...key, payload } })).response.status, 202);
  assert.deepEqual(await status(), [['An event of pdjs', 'triggered']]);
  assert.equal((await acknowledge({ server, data: key })).response.status, 202);
  assert.deepEqual(await status(), [['An event of pdjs', 'acknowledged']]);
  assert.equal((await resolve({ server, data: key })).response.status, 202);
  assert.deepEqual(await status(), [['An event of pdjs', 'resolved']]);
  const wrong = await trigger({ server, data: { ...key, payload: { ...payload, severity: 'loud' } } });
  assert.deepEqual([wrong.response.status, wrong.data.status], [400, 'invalid event']);
  const told = await change({ server, data: { routing_key: house.routing_key, payload: { summary: 'deployed' } } });
  assert.equal(told.response.status, 202);
}

const steps = [whoAsksIsKnown, incidentsAreOpenedTakenAndEnded, listsArePagedThrough, teamsComeAndGo, eventsOpenTakeAndEndOneIncident];
for (const step of steps) {
  const name = step.name.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  const began = performance.now();
  await step().catch((error) => {
    console.log(`FAILED: ${name}\n${error.stack ?? error}`);
    process.exit(1);
  });
  console.log(`${((performance.now() - began) / 1000).toFixed(2).padStart(6)} s  ${name}`);
}
// The library leaves a timer of 30 s behind for each request.
process.exit(0);
