/** schemathesis against the real server program: whatever `/openapi.json` says is tried, and has to be so. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { hostToken } from '../viewer/rooms';
import { startServer, type Program } from '../viewer/support';

const KEY = 'a key for this test alone, of 32 letters and more';
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
/** Where set-up puts the tests' Python packages. */
const target = process.env.STUDIO_BIN
  ? dirname(process.env.STUDIO_BIN)
  : (process.env.CARGO_TARGET_DIR ?? resolve(dirname(fileURLToPath(import.meta.url)), '../../target'));
const python = process.env.STUDIO_PYTHON ?? join(target, 'studio-tools/python/bin/python');

let folder: string;
let server: Program;
let http: string;

test.beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'schemathesis-'));
  const quick = ['--api-requests-per-second', '100000'];
  ({ program: server, http } = await startServer(KEY, ['--database', join(folder, 'rooms.db'), ...quick]));
});
test.afterEach(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

type Operation = { parameters?: { name: string }[]; responses: Record<string, { links?: Record<string, Link> }> };
type Link = { parameters: Record<string, string> };
type Api = { openapi: string; paths: Record<string, Record<string, Operation>> };

/** The same description with a room put in: a token is of one room, and of any other one there is nothing to see but 401. */
function ofRoom(room: string, api: Api): Api {
  const bound = JSON.parse(JSON.stringify(api).replaceAll('/rooms/{room}', `/rooms/${room}`)) as Api;
  for (const operation of Object.values(bound.paths).flatMap((item) => Object.values(item))) {
    if (operation.parameters) operation.parameters = operation.parameters.filter(({ name }) => name !== 'room');
    for (const { links } of Object.values(operation.responses)) {
      for (const link of Object.values(links ?? {})) delete link.parameters.room;
    }
  }
  return bound;
}

/** Tries everything that a description says, and returns what was said about it. */
async function tryAll(api: Api, more: string[] = []): Promise<string> {
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.keys(item).flatMap((method) => (METHODS.includes(method) ? [`${method.toUpperCase()} ${path}`] : [])),
  );
  expect(operations.length).toBeGreaterThanOrEqual(14);
  const description = join(folder, 'openapi.json');
  writeFileSync(description, JSON.stringify(api));
  const config = fileURLToPath(new URL('schemathesis.toml', import.meta.url));
  const report = join(folder, 'report.xml');
  const args = ['-m', 'schemathesis.cli', '--config-file', config, 'run', description, '--url', `http://${http}`];
  const run = spawn(python, [...args, '--report', 'junit', '--report-junit-path', report, '--no-color', ...more], {
    env: { ...process.env, WHIP_KEY: KEY, HOST_TOKEN: await hostToken(http, 'show', KEY) },
    // What it leaves behind goes with the folder.
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  run.stdout.on('data', (data) => (said += String(data)));
  run.stderr.on('data', (data) => (said += String(data)));
  const code = await new Promise((done) => run.on('close', done));
  expect(code, said).toBe(0);
  // A run that tried nothing, or only some of it, would have ended well too.
  const tried = readFileSync(report, 'utf8');
  for (const operation of operations) expect(tried, said).toContain(`name="${operation}"`);
  for (const phase of ['Coverage', 'Fuzzing']) expect(said, phase).toMatch(new RegExp(`✅\\s+${phase}`));
  console.log(said.slice(said.lastIndexOf('Test cases:')).trim());
  return said;
}

const description = async () => (await (await fetch(`http://${http}/openapi.json`)).json()) as Api;

test('what the server says of itself is so, for the host of a room', async () => {
  test.setTimeout(300_000);
  const api = await description();
  expect(api.openapi).toBe('3.1.0');
  const said = await tryAll(ofRoom('show', api));
  expect(said).toMatch(/✅\s+Stateful/);
  // It is alive, and what was asked for last is answered.
  expect((await fetch(`http://${http}/api/health`)).status).toBe(200);
});

test('what the server says of itself is so, for whoever asks for any room', async () => {
  test.setTimeout(300_000);
  // Of most rooms there is nothing to see but 401, which schemathesis warns of.
  await tryAll(await description(), ['--phases', 'coverage,fuzzing', '--max-examples', '20', '--warnings', 'off']);
});
