// Accounts: signing up, in and out, names, passwords, colours.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { freshMail, password, signIn, signUp } from './steps.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const isDark = (page) => page.evaluate(() => {
  const context = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d')
  context.fillStyle = getComputedStyle(document.body).backgroundColor === 'rgba(0, 0, 0, 0)'
    ? getComputedStyle(document.documentElement).backgroundColor : getComputedStyle(document.body).backgroundColor
  context.fillRect(0, 0, 1, 1)
  const [r, g, b] = context.getImageData(0, 0, 1, 1).data
  return r + g + b < 3 * 128
})

stories('the demo accounts sign in and out', async ({ visit }) => {
  const visitor = await visit()
  const { page } = visitor
  for (const who of ['buyer', 'admin']) {
    await signIn(visitor, `${who}@example.com`, `${who}-demo-password`)
    await page.waitForURL('**/credits')
    await page.getByRole('button', { name: 'Account menu' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor()
    await page.goto('/credits')
    assert.equal(new URL(page.url()).pathname, '/sign-in')
  }
})

stories('a wrong password says so and keeps the email, and tells nothing about who exists', async ({ visit }) => {
  const visitor = await visit()
  const { page } = visitor
  const said = []
  for (const email of ['buyer@example.com', 'nobody-at-all@example.com']) {
    await signIn(visitor, email, 'not the password')
    await summary(page).waitFor()
    assert.equal(await page.getByLabel('Email').inputValue(), email)
    assert.equal(await page.getByLabel('Password').inputValue(), '')
    assert.equal(new URL(page.url()).search, '', 'nothing of it stands in the address')
    said.push(await summary(page).innerText())
  }
  assert.match(said[0], /That email and password don’t match/)
  assert.equal(said[0], said[1])
  // It is said once.
  await page.reload()
  assert.equal(await summary(page).count(), 0)
})

stories('a sign-up that needs mending lists all of it, takes the focus, and leads to the fields', async ({ visit }) => {
  const visitor = await visit()
  const { page } = visitor
  await page.goto('/sign-up')
  await page.getByLabel('Email').fill('ana@nowhere')
  await page.getByLabel('Password').fill('short')
  await page.getByRole('button', { name: 'Create account' }).click()
  await summary(page).waitFor()
  assert.equal(await summary(page).getByRole('link').count(), 2)
  await summary(page).and(page.locator(':focus')).waitFor()
  assert.equal(await page.getByLabel('Email').inputValue(), 'ana@nowhere')
  for (const field of ['Email', 'Password']) {
    const input = page.getByLabel(field)
    assert.equal(await input.getAttribute('aria-invalid'), 'true')
    assert.ok(await page.locator(`#${await input.getAttribute('aria-describedby')}`).isVisible())
  }
  await summary(page).getByRole('link').nth(1).click()
  await page.keyboard.type('a much longer password')
  assert.equal(await page.getByLabel('Password').inputValue(), 'a much longer password')
  await page.getByLabel('Email').fill(freshMail())
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL('**/credits')
})

const names = ['<img src=x onerror="alert(1)">', '</title><script>alert(1)</script>', 'Ana 🌍 “Ana”', 'דנה <b>كريم</b>', 'ﷺ'.repeat(20), '=1+1', '{{7*7}} ${7*7}']
stories('a name is shown as it was typed, whatever is in it', async ({ visit }) => {
  const visitor = await visit()
  const { page } = visitor
  page.on('dialog', (dialog) => assert.fail(`a dialog: ${dialog.message()}`))
  await signUp(visitor)
  for (const name of names) {
    await page.goto('/account')
    await page.getByLabel('Name').fill(name)
    await page.getByRole('button', { name: 'Save name' }).click()
    await page.getByText('Your name was saved.').waitFor()
    assert.equal(await page.getByLabel('Name').inputValue(), name)
    assert.equal(await page.locator('.account-who bdi').textContent(), name)
    assert.equal(await page.locator('main img, main script').count(), 0)
  }
})

stories('a changed password ends every other session, and only the new one works', async ({ visit }) => {
  const [here, there] = [await visit(), await visit()]
  const email = await signUp(here)
  await signIn(there, email)
  await there.page.waitForURL('**/credits')
  const { page } = here
  await page.goto('/account')
  await page.getByRole('link', { name: 'Change password' }).click()
  await page.getByLabel('New password').fill('trustno1')
  await page.getByRole('button', { name: 'Change password' }).click()
  await summary(page).getByText('This is one of the most used passwords').waitFor()
  await there.page.reload()
  assert.equal(new URL(there.page.url()).pathname, '/credits', 'nothing has changed yet')

  await page.getByLabel('New password').fill('a new password indeed')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Your password was changed').waitFor()
  await there.page.reload()
  assert.equal(new URL(there.page.url()).pathname, '/sign-in')
  await signIn(there, email)
  await summary(there.page).waitFor()
  await signIn(there, email, 'a new password indeed')
  await there.page.waitForURL('**/credits')
})

story('a cookie is dead after signing out, and its id is new after signing in', async ({ visit, stack }) => {
  const visitor = await visit()
  const email = await signUp(visitor)
  const [session] = (await visitor.cookies()).filter(({ name }) => name.endsWith('sid'))
  assert.deepEqual([session.httpOnly, session.sameSite, session.path], [true, 'Lax', '/'])
  const [{ found }] = await stack.sql`select exists (select 1 from sessions s where s::text like ${`%${session.value}%`}) as found`
  assert.equal(found, false, 'the database holds no id that could be used')
  await visitor.page.getByRole('button', { name: 'Account menu' }).click()
  await visitor.page.getByRole('button', { name: 'Sign out' }).click()
  await visitor.page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor()
  const thief = await visit()
  await thief.context.addCookies([session])
  await thief.page.goto('/credits')
  assert.equal(new URL(thief.page.url()).pathname, '/sign-in')
  // A session that was planted before signing in is not the one that is signed in.
  await signIn(thief, email)
  await thief.page.waitForURL('**/credits')
  const [after] = (await thief.cookies()).filter(({ name }) => name.endsWith('sid'))
  assert.notEqual(after.value, session.value)
})

stories('a person sees where they are signed in, and signs out there', async ({ visit }) => {
  const [here, there, elsewhere] = [await visit(), await visit(), await visit()]
  const email = await signUp(here)
  const { page } = here
  await page.goto('/account')
  await page.getByText('You are signed in nowhere else.').waitFor()
  for (const visitor of [there, elsewhere]) {
    await signIn(visitor, email)
    await visitor.page.waitForURL('**/credits')
  }
  await page.reload()
  const devices = page.getByRole('region', { name: 'Where you are signed in' }).getByRole('listitem')
  assert.equal(await devices.count(), 3)
  assert.match(await devices.first().innerText(), /Chrome on Linux\s+This browser/)
  // The one that was used last stands first.
  await devices.nth(1).getByRole('button', { name: 'Sign out Chrome on Linux' }).click()
  await page.getByText('That browser is signed out.').waitFor()
  await elsewhere.page.goto('/credits')
  assert.equal(new URL(elsewhere.page.url()).pathname, '/sign-in')
  await there.page.goto('/credits')
  assert.equal(new URL(there.page.url()).pathname, '/credits')
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click()
  await page.getByText('You are signed out everywhere else.').waitFor()
  await there.page.goto('/credits')
  assert.equal(new URL(there.page.url()).pathname, '/sign-in')
  await page.goto('/credits')
  assert.equal(new URL(page.url()).pathname, '/credits', 'this one goes on')
})

stories('who guesses is told to wait, on the page and by the status', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  visitor.expected.push(/status of 429/)
  // Without looking at the answers: every 20 seconds one more is free.
  for (let guess = 0; guess < 3; guess += 1) {
    const form = { email: `nobody-${guess}@example.com`, password: `guess ${guess}`, next: '' }
    const answer = await page.request.post('/do/sign-in', { form, headers: { origin: stack.app }, maxRedirects: 0 })
    assert.equal(answer.status(), 303, await answer.text())
  }
  const refused = page.waitForResponse((response) => response.status() === 429)
  await signIn(visitor, 'buyer@example.com', 'buyer-demo-password')
  const seconds = Number(await (await refused).headerValue('retry-after'))
  assert.ok(seconds > 0 && seconds <= 21, `${seconds}`)
  await page.getByText(/That was too often\. Nothing was done\. Please try again in \d+ seconds\./).first().waitFor()
  assert.equal(await page.getByLabel('Email').inputValue(), 'buyer@example.com', 'what was typed is kept')
  const elsewhere = await visit()
  await signIn(elsewhere, 'buyer@example.com', 'buyer-demo-password')
  await elsewhere.page.waitForURL('**/credits')
})

story('new accounts and orders are limited, by address and by buyer', async ({ visit, stack }) => {
  const [buyer, another] = [await visit(), await visit()]
  await signUp(buyer)
  const [session] = (await buyer.cookies()).filter(({ name }) => name.endsWith('sid'))
  const [{ id: plan }] = await stack.sql`select id from plans where slug = 'enterprise'`
  const send = (path, fields, from, cookie = '') => fetch(`${stack.app}${path}`, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams(fields),
    headers: { cookie, origin: stack.app, accept: 'text/html', 'x-forwarded-for': from },
  })
  const order = (number, from) =>
    send('/do/request-credits', { plan, note: '', key: `limited-key-${number}` }, from, `${session.name}=${session.value}`)
  for (let number = 0; number < 10; number += 1) assert.equal((await order(number, `192.0.2.${number}`)).status, 303)
  const refused = await order(10, '192.0.2.10')
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  assert.match(await refused.text(), /That was too often/)
  const [{ count }] = await stack.sql`select count(*) from credit_orders where key like 'limited-key-%'`
  assert.equal(count, 10, 'the refused one was not made')

  const join = (from) => send('/do/sign-up', { email: freshMail(), password, next: '' }, from)
  for (let account = 0; account < 3; account += 1) assert.equal((await join('192.0.2.77')).status, 303)
  assert.equal((await join('192.0.2.77')).status, 429)
  await signUp(another)
})

story('a cookie stays dead though 50 requests of its session were under way when it ended (T44)', async ({ visit, stack }) => {
  const visitor = await visit()
  await signUp(visitor)
  const [session] = (await visitor.cookies()).filter(({ name }) => name.endsWith('sid'))
  const cookie = `${session.name}=${session.value}`
  // A rename leaves a message in the session: each of these writes to it.
  const rename = () => fetch(`${stack.app}/do/rename`, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams({ name: 'Ana' }),
    headers: { cookie, origin: stack.app, accept: 'text/html' },
  })
  const underWay = Array.from({ length: 25 }, rename)
  await visitor.page.getByRole('button', { name: 'Account menu' }).click()
  const ended = visitor.page.waitForResponse((response) => response.url().endsWith('/do/sign-out'))
  await visitor.page.getByRole('button', { name: 'Sign out' }).click()
  underWay.push(...Array.from({ length: 25 }, rename))
  assert.equal(await (await ended).headerValue('clear-site-data'), '"cache"')
  await Promise.all(underWay)
  for (let times = 0; times < 3; times += 1) {
    const answer = await fetch(`${stack.app}/credits`, { headers: { cookie }, redirect: 'manual' })
    assert.match(answer.headers.get('location') ?? '', /^\/sign-in/)
  }
})

stories('colours are chosen at once and remembered', async ({ visit }) => {
  const visitor = await visit({ colorScheme: 'light' })
  const { page } = visitor
  await page.goto('/')
  await visitor.awake()
  assert.equal(await isDark(page), false)
  await page.getByRole('button', { name: 'Use dark colours' }).click()
  await page.locator('html[data-theme=dark]').waitFor()
  assert.equal(await isDark(page), true)
  await page.goto('/sign-in')
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', 'in the first byte')
  await visitor.awake()
  await page.getByRole('button', { name: 'Use light colours' }).click()
  await page.locator('html[data-theme=light]').waitFor()
  assert.equal(await isDark(page), false)
  assert.equal(new URL(page.url()).pathname, '/sign-in')
})

story('colours follow the system until one is chosen', async ({ visit }) => {
  for (const colorScheme of ['light', 'dark']) {
    const { page } = await visit({ colorScheme })
    await page.goto('/')
    assert.equal(await isDark(page), colorScheme === 'dark')
  }
})
