// One Lighthouse run: reads a job (one line of JSON) on stdin, says its steps as lines of JSON on stdout, writes the LHR to a file.
//
// The job comes over stdin because arguments can be read by every user of the machine, and it may hold secrets.
// Chromium is started in this process's group and spoken to over a pipe: no debugging port that a page could find.

import {spawn} from 'node:child_process';
import {writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {pathToFileURL} from 'node:url';

const say = step => process.stdout.write(JSON.stringify(step) + '\n');

/** Puppeteer's ConnectionTransport over Chromium's --remote-debugging-pipe: messages end in a zero byte. */
function pipeTransport(chrome) {
  const [input, output] = [chrome.stdio[3], chrome.stdio[4]];
  const transport = {
    send: message => input.write(message + '\0'),
    close: () => input.end(),
  };
  let pending = [];
  output.on('data', chunk => {
    let start = 0;
    for (let end = chunk.indexOf(0); end !== -1; end = chunk.indexOf(0, start)) {
      pending.push(chunk.subarray(start, end));
      const message = Buffer.concat(pending).toString();
      pending = [];
      start = end + 1;
      setImmediate(() => transport.onmessage?.(message));
    }
    pending.push(chunk.subarray(start));
  });
  output.on('close', () => transport.onclose?.());
  input.on('error', () => transport.onclose?.());
  return transport;
}

/** Adds the headers to requests of the job's own origin alone; an override does not outlive a redirect to another. */
async function sendToOwnOrigin(session, origin, headers) {
  const names = new Set(Object.keys(headers).map(name => name.toLowerCase()));
  const added = Object.entries(headers).map(([name, value]) => ({name, value}));
  session.on('Fetch.requestPaused', async ({requestId, request}) => {
    const own = new URL(request.url).origin === origin;
    const kept = Object.entries(request.headers).filter(([name]) => !names.has(name.toLowerCase()));
    const merged = [...kept.map(([name, value]) => ({name, value})), ...added];
    await session
      .send('Fetch.continueRequest', own ? {requestId, headers: merged} : {requestId})
      .catch(() => session.send('Fetch.failRequest', {requestId, errorReason: 'Failed'}))
      .catch(() => {}); // the page is gone
  });
  await session.send('Fetch.enable', {patterns: [{urlPattern: `${origin}/*`}]});
}

/** Cookies for the host alone (no Domain), on any path, and for TLS alone where the page is. */
async function setCookies(session, origin, cookies) {
  for (const [name, value] of Object.entries(cookies)) {
    const {success} = await session.send('Network.setCookie', {url: `${origin}/`, name, value, path: '/', secure: origin.startsWith('https:')});
    if (!success) throw Object.assign(new Error('A cookie was refused'), {code: 'COOKIE_REFUSED'});
  }
}

function sayPhases(log) {
  const phases = [[/^Navigating to http/, 'LOADING'], [/^Getting artifact/, 'RESOURCES'], [/^Analyzing and running audits/, 'ANALYSING']];
  log.events.on('status', ([, message]) => {
    const index = phases.findIndex(([pattern]) => pattern.test(message));
    if (index === -1) return;
    say({phase: phases[index][1]});
    phases.splice(0, index + 1);
  });
}

async function measure(job, chrome) {
  const require = createRequire(`${job.lighthouse}/package.json`);
  const load = async name => (await import(pathToFileURL(require.resolve(name)))).default;
  const {default: lighthouse} = await import(pathToFileURL(`${job.lighthouse}/core/index.js`));
  const puppeteer = await load('puppeteer-core');
  sayPhases(await load('lighthouse-logger'));

  const browser = await puppeteer.connect({transport: pipeTransport(chrome), defaultViewport: null});
  const page = (await browser.pages())[0] ?? (await browser.newPage());
  const session = await page.createCDPSession();
  if (Object.keys(job.cookies).length) await setCookies(session, job.origin, job.cookies);
  if (Object.keys(job.headers).length) await sendToOwnOrigin(session, job.origin, job.headers);
  return await lighthouse(job.url, {logLevel: 'silent', output: 'json'}, {extends: 'lighthouse:default', settings: job.settings}, page);
}

const lines = createInterface({input: process.stdin});
// The parent holds stdin open: its end is the parent's death, and nothing may outlive that.
lines.once('close', () => process.kill(0, 'SIGKILL'));
lines.once('line', async line => {
  const job = JSON.parse(line);
  const chrome = spawn(job.chrome, job.chromeFlags, {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
  chrome.once('error', () => { say({failed: {code: 'CHROME_NOT_STARTED'}}); process.exit(1); });
  chrome.once('exit', () => { say({failed: {code: 'CHROME_EXITED'}}); process.exit(1); });
  try {
    const {lhr} = await measure(job, chrome);
    await writeFile(job.output, JSON.stringify(lhr), {mode: 0o600});
    say({done: true});
  } catch (error) {
    say({failed: {code: String(error.code ?? error.name ?? ''), message: String(error.friendlyMessage ?? '')}});
  }
  process.exit(0);
});
