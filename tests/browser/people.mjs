// Goes the ways of people through the pages at /auth in headless Chromium, every other host cut off.
//
//   node people.mjs http://127.0.0.1:8000 WAY [--pictures FOLDER] [--issuer URL]
//
// What is not a browser's to do it asks for on standard output, a line of JSON each time, and reads the answer, a line
// too: {"mail": "ann@example.org", "path": "/auth/verify"} for the newest link that was mailed there, {"invite": "…"},
// and {"expire": "…"} for that address's links. It exits with 1, and says why, when something is not as it should be.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
]
const WIDE = { width: 1100, height: 800 }
const NARROW = { width: 360, height: 740 }
const PASSWORD = 'correct horse battery'
const OTHER_PASSWORD = 'another horse, a stable'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { pictures: { type: 'string' }, issuer: { type: 'string', default: '' } },
})
const [base, way] = positionals
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const errors = []

async function told(wish) {
  console.log(JSON.stringify(wish))
  return (await lines.next()).value
}

const mailed = (email, path) => told({ mail: email, path })

const WAYS = {
  async 'sign-up'(page) {
    await open(page, '/auth/sign-in', 'Sign in')
    await look(page, 'sign-in')
    await page.click('text="No account yet?"')
    await at(page, 'Sign up')
    await look(page, 'sign-up')
    await fill(page, { name: 'Ann <b>Smith</b>', email: 'ann@example.org', password: PASSWORD })
    await page.press('[name=password]:visible', 'Enter')
    await at(page, 'Look into your mail')
    await look(page, 'sign-up-done')
    const tab = await page.context().newPage()
    watch(tab)
    await open(tab, await mailed('ann@example.org', '/auth/verify'), 'Confirm your address')
    assert.equal(tab.url(), `${base}/auth/verify`, 'the token is still in the address')
    await look(tab, 'verify')
    await tab.click('text="Confirm this address"')
    await at(tab, 'Your address is confirmed')
    await look(tab, 'verify-done')
    await tab.click('a >> text="Sign in"')
    await signIn(tab, 'ann@example.org', PASSWORD)
    await at(tab, 'You are signed in')
    assert.match(await seen(tab), /As Ann <b>Smith<\/b>, ann@example\.org\./)
    await look(tab, 'signed-in')
    assert.equal(await tab.evaluate(() => document.cookie), '', 'a script can read a cookie')

    await tab.context().clearCookies({ name: 'pacemark-access' })
    await open(tab, '/auth/sign-in?to=/auth/forgot', 'You are signed in')
    await tab.context().addCookies([{ name: 'pacemark-access', value: 'run-out', url: base }])
    await tab.reload()
    await at(tab, 'You are signed in')
    await tab.click('text="Go on"')
    await tab.waitForURL(`${base}/auth/forgot`)

    await open(tab, '/auth/sign-in', 'You are signed in')
    await tab.click('text="Sign out"')
    await signIn(tab, 'ann@example.org', PASSWORD)
    await at(tab, 'You are signed in')
    await tab.click('text="Sign out"')
    await at(tab, 'Sign in')
    assert.equal(await tab.inputValue('[name=password]'), '', 'the next person finds a password')
    await tab.reload()
    await at(tab, 'Sign in')
    await tab.context().addCookies([{ name: 'pacemark-access', value: 'nobodys', url: base }])
    await tab.reload()
    await at(tab, 'Sign in')
    assert.deepEqual(await tab.context().cookies(), [], 'a token that opens nothing is kept')
  },

  async forgot(page) {
    await register('bob@example.org', 'Bob')
    await open(page, '/auth/sign-in?to=/graphql?query=%7B__typename%7D', 'Sign in')
    await page.click('text="Forgotten your password?"')
    await at(page, 'Choose another password')
    await look(page, 'forgot')
    await fill(page, { email: 'bob@example.org' })
    await page.click('text="Mail me a link"')
    await at(page, 'Look into your mail')
    await open(page, await mailed('bob@example.org', '/auth/reset'), 'Choose another password')
    assert.equal(page.url(), `${base}/auth/reset`, 'the token is still in the address')
    await page.reload()
    await at(page, 'Choose another password')
    await look(page, 'reset')
    await fill(page, { newPassword: 'short' })
    await page.click('text="Use this password"')
    assert.match(await beside(page, 'newPassword'), /^A password has 10 to 256 characters\.$/)
    assert.equal(await page.inputValue('[name=newPassword]'), 'short')
    await fill(page, { newPassword: OTHER_PASSWORD })
    await page.press('[name=newPassword]', 'Enter')
    await at(page, 'Your password is changed')
    await page.click('a >> text="Sign in"')
    await signIn(page, 'bob@example.org', OTHER_PASSWORD)
    await at(page, 'You are signed in')
    assert.match(await seen(page), /As Bob, bob@example\.org\./)
  },

  async invitation(page) {
    await open(page, '/auth/sign-up', 'Sign up')
    assert.match(await seen(page), /Signing up here takes an invitation: open the link that was mailed to you\./)
    await look(page, 'sign-up-closed')
    await told({ invite: 'eve@example.org' })
    await open(page, await mailed('eve@example.org', '/auth/invitation'), 'Join a workspace')
    assert.equal(page.url(), `${base}/auth/invitation`, 'the token is still in the address')
    await look(page, 'invitation-stranger')
    await page.click('a >> text="Sign up"')
    await at(page, 'Sign up')
    assert.equal(page.url(), `${base}/auth/sign-up`, 'the invitation is still in the address')
    await page.reload()
    await at(page, 'Sign up')
    await look(page, 'sign-up-invited')
    await fill(page, { name: 'Eve', email: 'eve@example.org', password: PASSWORD })
    await page.click('button >> text="Sign up"')
    await at(page, 'Look into your mail')
    await open(page, await mailed('eve@example.org', '/auth/verify'), 'Confirm your address')
    await page.click('text="Confirm this address"')
    await at(page, 'Your address is confirmed')
    await page.click('a >> text="Sign in"')
    await signIn(page, 'eve@example.org', PASSWORD)
    await at(page, 'Join a workspace')
    assert.equal(page.url(), `${base}/auth/invitation`, 'the token is still in the address')
    await look(page, 'invitation')
    await page.click('button:has-text("Join as Eve")')
    await at(page, 'You have joined')
    await look(page, 'invitation-done')
    assert.match(await seen(page), /You are in \S.* now\./)
    assert.deepEqual(await page.evaluate(workspaces), ['default'])

    await told({ invite: 'mallory@example.org' })
    await open(page, await mailed('mallory@example.org', '/auth/invitation'), 'Join a workspace')
    await page.click('button:has-text("Join as Eve")')
    await at(page, 'This invitation is somebody else’s')
    assert.match(await seen(page), /another address than eve@example\.org/)
    await look(page, 'invitation-other')
    await page.click('button:visible >> text="Sign in as somebody else"')
    await at(page, 'Sign in')
    await page.click('text="No account yet?"')
    await at(page, 'Sign up')
    assert.match(await seen(page), /By your invitation/)
    assert.deepEqual(await page.evaluate(workspaces), null)
  },

  async refusals(page) {
    await register('dan@example.org', 'Dan')
    await open(page, '/auth/sign-in', 'Sign in')
    await page.click('button >> text="Sign in"')
    assert.equal(await beside(page, 'email'), 'Fill this in.')
    await signIn(page, 'dan@example.org', 'wrong')
    assert.match(await beside(page, 'password'), /^There is no account with this e-mail and password\. If you have just signed up/)
    assert.equal(await page.inputValue('[name=email]:visible'), 'dan@example.org')
    assert.equal(await page.evaluate(() => document.activeElement.name), 'password')
    await look(page, 'sign-in-refused')

    const letGo = await hold(page, '**/graphql')
    await page.click('button >> text="Sign in"')
    await page.waitForSelector('form[aria-busy] button:disabled')
    await page.press('[name=password]:visible', 'Enter')
    assert.equal(await letGo(), 1, 'it was sent twice')
    await beside(page, 'password')

    await page.context().setOffline(true)
    await page.click('button >> text="Sign in"')
    assert.equal(await above(page), 'You are offline: try again once you are connected.')
    await look(page, 'offline')
    await page.context().setOffline(false)
    for (let attempt = 0; attempt < 10; attempt++) {
      await page.click('button >> text="Sign in"')
      if (await above(page)) break
    }
    assert.match(await above(page), /^Too many tried to sign in: .* Try again at \d/)
    await look(page, 'limit')

    await ask('accountCreate', 'AccountCreateInput', { email: 'fay@example.org', name: 'Fay', password: PASSWORD })
    const link = await mailed('fay@example.org', '/auth/verify')
    await open(page, '/auth/sign-in', 'Sign in')
    assert.equal(await page.isVisible('button >> text="Mail me another link"'), false)
    await signIn(page, 'fay@example.org', PASSWORD)
    assert.match(await beside(page, 'password'), /^There is no account with this e-mail and password\. If you have just signed up/)
    const another = await mailed('fay@example.org', '/auth/verify')
    assert.notEqual(another, link)
    await page.click('button:visible >> text="Mail me another link"')
    await at(page, 'Confirm your address first')
    assert.equal(await page.inputValue('[name=email]:visible'), 'fay@example.org')
    await look(page, 'unverified')
    await told({ expire: 'fay@example.org' })
    await open(page, link, 'Confirm your address')
    await page.click('text="Confirm this address"')
    await at(page, 'This link is good no more')
    assert.match(await seen(page), /This link was used, has expired or was never one: ask for a new one\./)
    await look(page, 'verify-gone')
    await fill(page, { email: 'fay@example.org' })
    await page.click('text="Mail me another link"')
    await at(page, 'Look into your mail')
    await open(page, await mailed('fay@example.org', '/auth/verify'), 'Confirm your address')
    await page.click('text="Confirm this address"')
    await at(page, 'Your address is confirmed')

    await open(page, '/auth/reset?token="><script>alert(1)</script>', 'Choose another password')
    await fill(page, { newPassword: OTHER_PASSWORD })
    await page.click('text="Use this password"')
    await at(page, 'This link is good no more')
    await look(page, 'reset-gone')
    await open(page, '/auth/invitation', 'This invitation is good no more')
    const plain = await (await browser.newContext({ javaScriptEnabled: false })).newPage()
    await plain.goto(`${base}/auth/sign-in`)
    assert.match(await plain.innerText('main'), /^Pacemark\s+This page needs JavaScript: allow it for this site/)
    await open(page, '/auth/invitation?token=pmi_x', 'Join a workspace')
  },

  async issuer(page) {
    await open(page, '/auth/sign-in', 'Sign in')
    await look(page, 'sign-in-issuer')
    await page.click('text="Sign in with 127.0.0.1"')
    await at(page, 'You are signed in')
    assert.match(await seen(page), /As Jane Doe, jane@example\.com\./)
    await page.click('text="Sign out"')
    await told({ invite: 'jane@example.com' })
    await open(page, await mailed('jane@example.com', '/auth/invitation'), 'Join a workspace')
    await page.click('a >> text="Sign in"')
    await page.reload()
    await page.click('text="Sign in with 127.0.0.1"')
    await page.click('button:has-text("Join as Jane Doe")')
    await at(page, 'You have joined')
  },
}

async function open(page, path, heading) {
  await page.goto(new URL(path, base).href)
  await at(page, heading)
}

/** Waits until the page says this. */
async function at(page, heading) {
  await page.waitForSelector(`h1:visible >> text="${heading}"`)
  assert.equal(await page.title(), `${heading} · Pacemark`)
}

async function fill(page, input) {
  for (const [name, value] of Object.entries(input)) await page.fill(`[name=${name}]:visible`, value)
}

async function signIn(page, email, password) {
  await at(page, 'Sign in')
  await fill(page, { email, password })
  await page.press('[name=password]:visible', 'Enter')
}

const seen = (page) => page.locator('section:visible').innerText()

/** What is said beside a field, once it is. */
async function beside(page, name) {
  const input = page.locator(`[name=${name}][aria-invalid=true]:visible`)
  await input.waitFor()
  return page.locator(`#${await input.getAttribute('aria-describedby')}`).innerText()
}

/** What is said above the form, once the form is there again. */
async function above(page) {
  await page.waitForSelector('form:not([aria-busy]) button:visible:not(:disabled)')
  return page.locator('section:visible .said').innerText()
}

/** Requests of this address wait; the answer lets them go, and says how many they were. */
async function hold(page, address) {
  const held = []
  await page.route(address, (route) => held.push(route))
  return async () => {
    await Promise.all(held.map((route) => route.continue()))
    await page.unroute(address)
    return held.length
  }
}

async function workspaces() {
  const query = '{ viewer { workspaces { nodes { slug } } } }'
  const headers = { 'Content-Type': 'application/json' }
  const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
  return (await answer.json()).data.viewer?.workspaces.nodes.map(({ slug }) => slug) ?? null
}

async function ask(field, type, input) {
  const query = `mutation ($input: ${type}!) { ${field}(input: $input) { __typename ... on Problem { message } } }`
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ query, variables: { input } })
  const answer = await (await fetch(`${base}/graphql`, { method: 'POST', headers, body })).json()
  assert.match(answer.data[field].__typename, /Payload$/, JSON.stringify(answer))
}

/** Somebody with an account, made beside the browser. */
async function register(email, name) {
  await ask('accountCreate', 'AccountCreateInput', { email, name, password: PASSWORD })
  const token = new URL(await mailed(email, '/auth/verify')).searchParams.get('token')
  await ask('emailVerify', 'EmailVerifyInput', { token })
}

/** Light, dark and on a telephone: everybody can read it, and nothing is wider than the screen. */
async function look(page, name) {
  for (const [shown, colorScheme, viewport] of [['light', 'light', WIDE], ['dark', 'dark', WIDE], ['narrow', 'light', NARROW]]) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize(viewport)
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate(() => globalThis.axe.run())
    const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])
    assert.deepEqual(found, [], `${name} has faults of accessibility`)
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= viewport.width, `${name} is too wide`)
    if (values.pictures) await page.screenshot({ path: `${values.pictures}/${name}-${shown}.png` })
  }
}

/** The browser itself puts a refused refresh on the console, and that it is offline. */
function watch(page) {
  const ordinary = /status of 401|ERR_INTERNET_DISCONNECTED/
  page.on('pageerror', (error) => errors.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error' && !ordinary.test(message.text())) errors.push(message.text())
  })
  page.on('request', (request) => {
    const { origin, pathname } = new URL(request.url())
    if (origin !== base && `${origin}${pathname}` !== `${values.issuer}/authorize`) errors.push(`asked ${request.url()}`)
  })
}

const browser = await chromium.launch({ executablePath: process.env.CHROME_PATH ?? '/usr/bin/chromium', args: FLAGS })
try {
  const page = await (await browser.newContext({ viewport: WIDE })).newPage()
  page.setDefaultTimeout(15_000)
  watch(page)
  await WAYS[way](page)
  assert.deepEqual(errors, [], 'the pages had errors')
} catch (error) {
  console.error(error.stack)
  process.exitCode = 1
} finally {
  await browser.close()
  process.stdin.destroy()
}
