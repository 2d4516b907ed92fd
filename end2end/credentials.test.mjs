// What proves that it is you: passwords, and links that came by mail.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { stage } from './story.mjs'
import { freshMail, linkIn, newestMail, openAccount, password, signIn, signUp, staleConfirmations } from './steps.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const sessionOf = async (visitor) => (await visitor.cookies()).find(({ name }) => name.endsWith('sid')).value
const pathOf = (page) => new URL(page.url()).pathname
const another = 'quite another one'

stories('who is asked for the password again comes back, under a new session id (T43)', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await signUp(visitor)
  await page.goto('/confirm?return_to=/transactions')
  assert.equal(pathOf(page), '/transactions', 'who has just signed up is not asked')

  await staleConfirmations(stack)
  const before = await sessionOf(visitor)
  await page.goto('/confirm?return_to=/transactions%3Fdirection%3Din')
  await page.getByLabel('Password').fill('not the password')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await summary(page).getByText('This isn’t your password').waitFor()
  assert.equal(await page.getByLabel('Password').inputValue(), '')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.waitForURL('**/transactions?direction=in')
  assert.notEqual(await sessionOf(visitor), before)
  const thief = await visit()
  await thief.context.addCookies([{ name: 'sid', value: before, url: stack.app }])
  await thief.page.goto('/credits')
  assert.equal(pathOf(thief.page), '/sign-in', 'the old id is dead')
})

stories('a confirmation leads to our own pages only (T50)', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await page.goto('/confirm?return_to=/account')
  assert.equal(pathOf(page), '/sign-in', 'nobody is asked who is not signed in')
  await signUp(visitor)
  for (const elsewhere of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    await staleConfirmations(stack)
    await page.goto(`/confirm?return_to=${encodeURIComponent(elsewhere)}`)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.waitForURL(`${stack.app}/credits`)
  }
})

stories('what does lasting harm asks who it is, page and form alike', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  await signUp(visitor)
  for (const [path, button, label] of [['/account/password', 'Change password', 'New password'], ['/account/email', 'Send the link', 'New email']]) {
    await staleConfirmations(stack)
    await page.goto(path)
    assert.equal(pathOf(page), '/confirm', path)
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Confirm' }).click()
    await page.waitForURL(`**${path}`)
    // The page was left open for too long.
    await staleConfirmations(stack)
    await page.getByLabel(label).fill(label.endsWith('email') ? freshMail() : another)
    await page.getByRole('button', { name: button }).click()
    await page.waitForURL(/\/confirm\?return_to=/)
  }
  const [kept] = await stack.sql`select claimed_email, exists (select from mails where kind = 'password_changed' and person_id = p.id) as changed from user_profiles p where email = ${visitor.email}`
  assert.deepEqual(kept, { claimed_email: null, changed: false })
})

stories('a taken address and a free one look the same to who opens an account (T47)', async ({ visit, stack }) => {
  const owner = await visit()
  const taken = await signUp(owner)
  const seen = []
  for (const email of [taken.toUpperCase(), freshMail()]) {
    const visitor = await visit()
    const { page } = visitor
    await page.goto('/sign-up')
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(password)
    const answered = page.waitForResponse((response) => response.url().endsWith('/do/sign-up'))
    await page.getByRole('button', { name: 'Create account' }).click()
    const answer = await answered
    await page.waitForURL('**/credits')
    await page.getByText(`Check your mail: a link is on its way to ${email.toLowerCase()}.`).waitFor()
    await page.goto('/account')
    const text = await page.getByRole('main').innerText()
    seen.push([answer.status(), (await answer.allHeaders()).location, text.replaceAll(email.toLowerCase(), 'THEIRS')])
    const letter = await newestMail(stack, 'confirm_email')
    assert.equal(letter.subject, email === taken.toUpperCase() ? 'You have an account already' : 'Confirm your email address')
    // And the same again when they come back.
    await page.getByRole('button', { name: 'Account menu' }).click()
    await page.locator('#account-menu').getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('banner').getByRole('link', { name: 'Sign in' }).waitFor()
    await signIn(visitor, email)
    await page.waitForURL('**/credits')
  }
  assert.deepEqual(seen[0].map((part) => `${part}`.replace(/\d+ \w+ \d+, \d+:\d+.*/, 'WHEN')), seen[1].map((part) => `${part}`.replace(/\d+ \w+ \d+, \d+:\d+.*/, 'WHEN')))
  await owner.page.goto('/account')
  assert.equal(await owner.page.getByText('Confirm your address').count(), 0, 'nothing changed for its owner')
})

stories('a new address is confirmed by its link, here with a click and elsewhere with the password', async ({ visit, stack }) => {
  const [here, phone] = [await visit(), await visit()]
  const email = await openAccount(here)
  await signIn(phone, email)
  await summary(phone.page).getByText('That email and password don’t match').waitFor()
  await here.page.goto('/account')
  await here.page.getByText('Confirm your address').waitFor()
  const link = await linkIn(stack, 'confirm_email')

  // Opening a link changes nothing.
  await phone.page.goto(link)
  await phone.page.goto(link)
  const [{ email: before }] = await stack.sql`select email from user_profiles where claimed_email = ${email}`
  assert.equal(before, null)
  await phone.page.getByLabel('Password').fill('not the password')
  await phone.page.getByRole('button', { name: 'Confirm address' }).click()
  await summary(phone.page).getByText('This isn’t your password').waitFor()
  await phone.page.getByLabel('Password').fill(password)
  await phone.page.getByRole('button', { name: 'Confirm address' }).click()
  await phone.page.getByText('Your address is confirmed. Sign in with it.').waitFor()
  await signIn(phone, email)
  await phone.page.waitForURL('**/credits')
  phone.expected.push(/status of 410/)
  await phone.page.goto(link)
  await phone.page.getByRole('heading', { name: 'This link is over' }).waitFor()
  await here.page.goto('/account')
  assert.equal(await here.page.getByText('Confirm your address').count(), 0)

  const again = await visit()
  const other = await openAccount(again)
  await again.page.goto('/account')
  await again.page.getByRole('button', { name: 'Send it again' }).click()
  await again.page.getByText(`Check your mail: a link is on its way to ${other}.`).waitFor()
  await again.page.goto(await linkIn(stack, 'confirm_email'))
  assert.equal(await again.page.getByLabel('Password').count(), 0)
  await again.page.getByRole('button', { name: 'Confirm address' }).click()
  await again.page.getByText('Thank you. Your address is confirmed.').waitFor()
})

stories('a forgotten password is replaced by mail, and every session ends', async ({ visit, stack }) => {
  const [owner, visitor] = [await visit(), await visit()]
  const email = await signUp(owner)
  const { page } = visitor
  const said = []
  for (const asked of [freshMail(), email]) {
    await page.goto('/sign-in')
    await page.getByRole('link', { name: 'Forgot your password?' }).click()
    await page.getByLabel('Email').fill(asked)
    await page.getByRole('button', { name: 'Send the link' }).click()
    const notice = page.getByRole('status').filter({ hasText: 'Check your mail' })
    await notice.waitFor()
    said.push((await notice.innerText()).replace(asked, 'THEIRS'))
  }
  assert.equal(said[0], said[1], 'nobody learns who has an account (T47)')

  const link = await linkIn(stack, 'reset_password')
  const opened = await page.goto(link)
  assert.equal(opened.headers()['referrer-policy'], 'no-referrer')
  assert.equal(opened.headers()['cache-control'], 'no-store')
  await page.getByLabel('New password').fill('short')
  await page.getByRole('button', { name: 'Set password' }).click()
  await summary(page).getByText('Use at least 8 characters').waitFor()
  await page.getByLabel('New password').fill(another)
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByText('Your new password is set. Sign in with it.').waitFor()
  await page.goto('/credits')
  assert.equal(pathOf(page), '/sign-in', 'a link signs nobody in')
  await owner.page.goto('/credits')
  assert.equal(pathOf(owner.page), '/sign-in', 'every session is over')
  await signIn(visitor, email)
  await summary(page).waitFor()
  await signIn(visitor, email, another)
  await page.waitForURL('**/credits')
  assert.equal((await newestMail(stack, 'password_changed')).to[0], email)
  visitor.expected.push(/status of 410/)
  await page.goto(link)
  await page.getByRole('heading', { name: 'This link is over' }).waitFor()
})

stories('an address changes when the new one is confirmed, and the old one can take it back', async ({ visit, stack }) => {
  const [owner, thief] = [await visit(), await visit()]
  const [old, wanted] = [await signUp(owner), freshMail()]
  await signIn(thief, old)
  await thief.page.waitForURL('**/credits')
  const { page } = thief
  await page.goto('/account')
  await page.getByRole('link', { name: 'Change email' }).click()
  await page.getByLabel('New email').fill(wanted)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText(`Check your mail: a link is on its way to ${wanted}.`).waitFor()
  await page.getByText('Your address will change once').waitFor()
  await page.getByRole('button', { name: 'Keep the present one' }).click()
  await page.getByText('Your address stays as it is.').waitFor()
  thief.expected.push(/status of 410/)

  await page.goto('/account/email')
  await page.getByLabel('New email').fill(wanted)
  await page.getByRole('button', { name: 'Send the link' }).click()
  await page.getByText('Check your mail').waitFor()
  await page.goto(await linkIn(stack, 'confirm_email'))
  await page.getByRole('button', { name: 'Confirm address' }).click()
  await page.getByText('Your address is confirmed.').waitFor()
  await owner.page.goto('/credits')
  assert.equal(pathOf(owner.page), '/sign-in', 'the other sessions are over')
  await signIn(owner, old)
  await summary(owner.page).waitFor()

  assert.deepEqual((await newestMail(stack, 'email_changed')).to, [old])
  await owner.page.goto(await linkIn(stack, 'email_changed'))
  await owner.page.getByLabel('New password').fill(another)
  await owner.page.getByRole('button', { name: 'Take my account back' }).click()
  await owner.page.getByText('Your address is yours again').waitFor()
  await page.goto('/credits')
  assert.equal(pathOf(page), '/sign-in', 'the thief is out')
  await signIn(owner, old, another)
  await owner.page.waitForURL('**/credits')
})

story('a password can be looked at while it is typed', async ({ visit }) => {
  const visitor = await visit()
  const { page } = visitor
  await page.goto('/sign-in')
  await visitor.awake()
  const field = page.getByLabel('Password')
  await field.fill('something')
  const show = page.getByRole('button', { name: 'Show what is typed' })
  await show.click()
  assert.equal(await field.getAttribute('type'), 'text')
  await page.getByRole('button', { name: 'Hide what is typed' }).click()
  assert.equal(await field.getAttribute('type'), 'password')
  assert.equal(await field.inputValue(), 'something')
})

story('without scripts there is no button that could not work', async ({ visit }) => {
  const { page } = await visit({ javascript: false })
  await page.goto('/sign-in')
  assert.equal(await page.getByRole('button', { name: 'Show what is typed' }).count(), 0)
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    story(`axe finds nothing serious on the pages about credentials, ${colorScheme}, ${width} wide`, async ({ visit, stack }) => {
      const [nobody, buyer] = [await visit({ colorScheme, width }), await visit({ colorScheme, width })]
      const found = []
      const look = async ({ page }, what) => {
        for (const finding of await findings(page)) found.push(`${what}: ${finding}`)
        const { excess, culprits } = await overflow(page)
        if (excess > 0) found.push(`${what} is ${excess} too wide: ${culprits}`)
        if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/${what}-${colorScheme}-${width}.png`, fullPage: true })
      }
      const email = await openAccount(buyer)
      const confirm = await linkIn(stack, 'confirm_email')
      await buyer.page.goto('/account')
      await look(buyer, 'account-unconfirmed')
      await buyer.page.goto(confirm)
      await look(buyer, 'confirm-email-here')
      await nobody.page.goto(confirm)
      await look(nobody, 'confirm-email-elsewhere')
      await buyer.page.getByRole('button', { name: 'Confirm address' }).click()
      await buyer.page.getByText('Your address is confirmed.').waitFor()
      for (const path of ['/account/password', '/account/email', '/account/second-factor']) {
        await buyer.page.goto(path)
        await look(buyer, path.replaceAll('/', '-').slice(1))
      }
      await buyer.page.getByRole('button', { name: 'Set it up' }).click()
      await buyer.page.getByRole('img', { name: 'The key, for the camera' }).waitFor()
      await look(buyer, 'account-second-factor-steps')
      await staleConfirmations(stack)
      await buyer.page.goto('/confirm?return_to=/account')
      await look(buyer, 'confirm')
      await nobody.page.goto('/sign-in')
      await look(nobody, 'sign-in')
      await nobody.page.goto('/forgot-password')
      await nobody.page.getByLabel('Email').fill(email)
      await nobody.page.getByRole('button', { name: 'Send the link' }).click()
      await nobody.page.getByText('Check your mail').waitFor()
      await look(nobody, 'forgot-password')
      await nobody.page.goto(await linkIn(stack, 'reset_password'))
      await look(nobody, 'reset-password')
      nobody.expected.push(/status of 410/)
      await nobody.page.goto('/reset-password?token=nothing')
      await look(nobody, 'link-over')
      assert.deepEqual(found, [])
    })
  }
}
