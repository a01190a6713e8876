// Drives GraphiQL in headless Chromium as a newcomer would, every other host cut off; prints what it saw as JSON.
//
//   node graphiql.mjs 'http://127.0.0.1:8000/graphql#key=pmk_…' --screenshot answer.png [--audit URL] [--scheme dark]
//
// It runs the starter query, audits the URL (else the starter's own), and follows that audit over both transports.
// It exits with 1, and a sentence on standard error, when something is not as it should be.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { chromium } from 'playwright-core'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
]
const AUDIT_TIMEOUT = 90_000

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    screenshot: { type: 'string' },
    audit: { type: 'string' },
    scheme: { type: 'string', default: 'light' },
  },
})

async function main() {
  const address = new URL(positionals[0])
  const executablePath = process.env.CHROME_PATH ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: FLAGS })
  try {
    const viewport = { width: 1440, height: 900 }
    const page = await browser.newPage({ colorScheme: values.scheme, viewport })
    const seen = listen(page, address.origin)
    Object.assign(seen, await visit(page, address))
    assert.deepEqual(seen.requestsElsewhere, [], 'the page asked another host')
    assert.deepEqual(seen.errors, [], 'the page had errors')
    return seen
  } finally {
    await browser.close()
  }
}

/** Collects the console's errors (a breach of the content policy is one) and every request to another origin. */
function listen(page, origin) {
  const seen = { requestsElsewhere: [], errors: [] }
  const elsewhere = (url) => {
    const { protocol, host } = new URL(url)
    if (!['data:', 'blob:'].includes(protocol) && host !== new URL(origin).host) seen.requestsElsewhere.push(url)
  }
  page.on('request', (request) => elsewhere(request.url()))
  page.on('websocket', (socket) => elsewhere(socket.url()))
  page.on('pageerror', (error) => seen.errors.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && seen.errors.push(message.text()))
  return seen
}

async function visit(page, address) {
  await page.goto(address.href)
  await page.waitForSelector('.bar-standing[data-standing=accepted], .bar-standing[data-standing=refused]')
  const standing = await page.textContent('.bar-standing')
  assert.match(standing, /^Signed in with key /)
  assert.equal(await page.evaluate(() => location.hash), '', 'the key is still in the address')
  // The editors of the query, its variables, the headers and the response.
  await page.waitForFunction(() => globalThis.__MONACO?.editor.getModels().length >= 4)
  const [answer] = await run(page)
  assert.ok(answer.data?.viewer && !answer.errors, `the starter query failed: ${JSON.stringify(answer)}`)
  if (values.screenshot) await page.screenshot({ path: values.screenshot })
  const audit = await requestAudit(page)
  await openTab(page, 'WatchIt')
  await setVariables(page, { audit: audit.id })
  const websocket = await follow(page, 'websocket')
  const sse = await follow(page, 'sse')
  return { title: await page.title(), standing, answer, audit, websocket, sse }
}

async function requestAudit(page) {
  await openTab(page, 'AuditUrl')
  if (values.audit) await setVariables(page, { url: values.audit })
  const [answer] = await run(page)
  const audit = answer.data?.auditRequest?.audit
  assert.ok(audit, `no audit was requested: ${JSON.stringify(answer)}`)
  return audit
}

async function follow(page, transport) {
  await page.selectOption('.bar-transport select', transport)
  const events = await run(page)
  const failed = events.find((event) => event.errors || !event.data?.auditProgress)
  assert.equal(failed, undefined, `the subscription over ${transport} failed: ${JSON.stringify(failed)}`)
  return events.map((event) => event.data.auditProgress)
}

async function openTab(page, title) {
  await page.click(`.graphiql-tab >> text="${title}"`)
  await page.waitForSelector(`.graphiql-tab-active >> text="${title}"`)
}

/** Presses play, waits for the end, and gives every answer that the response pane showed. */
async function run(page) {
  await page.waitForSelector('.graphiql-execute-button[aria-label^=Execute]')
  await page.evaluate(() => {
    const model = globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith('response.json'))
    globalThis.answers = []
    globalThis.listener?.dispose()
    globalThis.listener = model.onDidChangeContent(() => {
      if (model.getValue()) globalThis.answers.push(model.getValue())
    })
  })
  await page.click('.graphiql-execute-button')
  await page.waitForFunction(() => globalThis.answers.length > 0, null, { timeout: AUDIT_TIMEOUT })
  await page.waitForSelector('.graphiql-execute-button[aria-label^=Execute]', { timeout: AUDIT_TIMEOUT })
  return (await page.evaluate(() => globalThis.answers)).map((text) => JSON.parse(text))
}

async function setVariables(page, variables) {
  await page.evaluate((text) => {
    const model = globalThis.__MONACO.editor.getModels().find(({ uri }) => uri.path.endsWith('variables.json'))
    model.setValue(text)
  }, JSON.stringify(variables))
}

try {
  console.log(JSON.stringify(await main()))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
