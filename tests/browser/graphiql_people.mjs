// Uses GraphiQL as a person who signs in at /auth does, in headless Chromium, every other host cut off.
//
//   node graphiql_people.mjs http://127.0.0.1:8000 --email ann@example.org --password … --key pmk_… [--pictures FOLDER]
//
// The person is called Ann. It signs in, asks and subscribes over each transport when the access token has run out or
// opens nothing, uses the key, and signs out, there and in another tab. It exits with 1, and says why, when something is
// not as it should be.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import axe from 'axe-core'
import * as graphiql from './page.mjs'
import { NARROW, TRANSPORTS, WIDE } from './page.mjs'

const ACCESS = 'pacemark-access'
const ANN = 'Signed in as Ann'
const NOBODY = 'Not signed in'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    email: { type: 'string' },
    password: { type: 'string' },
    key: { type: 'string' },
    pictures: { type: 'string' },
  },
})
const [base] = positionals

async function main(page) {
  await page.goto(`${base}/graphql`)
  await stands(page, NOBODY)
  await look(page, 'nobody')
  await signIn(page)
  await graphiql.ready(page)
  await graphiql.openExample(page, 'MakeWorkspace')
  await tokenRunsOut(page)
  const [made] = await graphiql.run(page)
  const { workspace } = made.data.workspaceCreate
  assert.equal(workspace.viewerRole, 'OWNER')
  assert.ok(await hasToken(page), 'the access token was not renewed')
  assert.equal(await graphiql.notice(page), null)
  await look(page, 'person')
  await askInVain(page)
  await followInVain(page, workspace.id)

  await page.context().clearCookies({ name: ACCESS })
  await page.reload()
  await stands(page, ANN)
  await graphiql.ready(page)
  assert.equal(await whoAsks(page), 'Ann')
  assert.equal(await graphiql.notice(page), null)

  await keepNoSecret(page)
  await useKey(page)
  await signOutElsewhere(page)
  await signIn(page)
  await graphiql.ready(page)
  await page.click('.bar >> text="Sign out"')
  await stands(page, NOBODY)
  assert.deepEqual(await page.context().cookies(), [])
  await graphiql.ready(page)
  assert.equal(await whoAsks(page), null)
}

async function signIn(page) {
  await page.click('.bar >> text="Sign in"')
  await page.fill('[name=email]:visible', values.email)
  await page.fill('[name=password]:visible', values.password)
  await page.press('[name=password]:visible', 'Enter')
  await page.waitForURL(`${base}/graphql`)
  await stands(page, ANN)
}

const stands = (page, text) => page.waitForSelector(`.bar-standing >> text="${text}"`)

/** What the server says: their name, or the key's. */
async function whoAsks(page) {
  await graphiql.openExample(page, 'WhoAmI')
  const [{ data }] = await graphiql.run(page)
  await page.click('.graphiql-tab-active .graphiql-tab-close')
  return data.viewer && (data.viewer.key?.name ?? data.viewer.user.name)
}

/** Ten minutes later the browser has forgotten it. */
async function tokenRunsOut(page) {
  await page.context().clearCookies({ name: ACCESS })
  await page.evaluate(() => {
    const now = Date.now
    Date.now = () => now() + 600_000
  })
}

const tokenOpensNothing = (page) => page.context().addCookies([{ name: ACCESS, value: 'run-out', url: base }])

async function hasToken(page) {
  const found = (await page.context().cookies()).find(({ name }) => name === ACCESS)
  return found !== undefined && found.value !== 'run-out'
}

/** Each time it is as though nothing had been the matter. */
async function askInVain(page) {
  for (const spoil of [tokenRunsOut, tokenOpensNothing, (tab) => tab.context().clearCookies({ name: ACCESS })]) {
    await spoil(page)
    assert.equal(await whoAsks(page), 'Ann')
    assert.ok(await hasToken(page))
  }
}

async function followInVain(page, workspace) {
  await graphiql.openExample(page, 'Follow')
  await graphiql.setText(page, 'variables.json', JSON.stringify({ workspace }))
  for (const transport of TRANSPORTS) {
    await page.selectOption('.bar-transport select', transport)
    for (const spoil of [tokenRunsOut, tokenOpensNothing]) {
      await spoil(page)
      await graphiql.start(page)
      await graphiql.answered(page, '"live": true')
      await graphiql.stop(page)
      assert.ok(await hasToken(page), `${transport} did not renew the access token`)
    }
  }
}

/** What the browser remembers of a sign-in by the API. */
async function keepNoSecret(page) {
  const { email, password } = values
  await graphiql.openExample(page, 'SignIn')
  await graphiql.setText(page, 'variables.json', JSON.stringify({ email, password }))
  const [{ data }] = await graphiql.run(page)
  assert.equal(data.sessionCreate.user.name, 'Ann')
  await graphiql.stored(page, await graphiql.tabs(page))
  const kept = await page.evaluate(() => JSON.stringify(localStorage))
  assert.ok(kept.includes(email), 'the variables were not kept')
  assert.ok(!kept.includes(password), 'the password was kept')
}

async function useKey(page) {
  await page.fill('.bar-key input', values.key)
  await page.click('.bar-key button')
  await page.waitForSelector('.bar-standing:has-text("Signed in with key pmk_")')
  assert.notEqual(await whoAsks(page), 'Ann')
  await page.click('.bar >> text="Forget"')
  await stands(page, ANN)
  assert.equal(await whoAsks(page), 'Ann')
}

async function signOutElsewhere(page) {
  const tab = await page.context().newPage()
  await tab.goto(`${base}/auth/sign-in`)
  await tab.click('text="Sign out"')
  await tab.waitForSelector('h1:visible >> text="Sign in"')
  await tab.close()
  assert.equal(await whoAsks(page), null)
  await stands(page, NOBODY)
}

/** Light, dark and on a telephone: everybody can read the bar, and it is not wider than the screen. */
async function look(page, name) {
  for (const [shown, colorScheme, viewport] of [['light', 'light', WIDE], ['dark', 'dark', WIDE], ['narrow', 'light', NARROW]]) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate(() => globalThis.axe.run('.bar'))
    assert.deepEqual(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]), [])
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= viewport.width, `${name} is too wide`)
    if (values.pictures) await page.screenshot({ path: `${values.pictures}/graphiql-${name}-${shown}.png` })
  }
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize(WIDE)
}

const browser = await graphiql.launch()
try {
  const page = await (await browser.newContext({ viewport: WIDE })).newPage()
  page.setDefaultTimeout(15_000)
  const seen = graphiql.listen(page, base)
  await main(page)
  assert.deepEqual(seen.requestsElsewhere, [], 'the page asked another host')
  // The browser itself puts on the console what was refused: a cookie that opens nothing, and a stranger's refresh.
  assert.deepEqual(seen.errors.filter((text) => !/status of 40[01]|WebSocket/.test(text)), [], 'the page had errors')
} catch (error) {
  console.error(error.stack)
  process.exitCode = 1
} finally {
  await browser.close()
}
