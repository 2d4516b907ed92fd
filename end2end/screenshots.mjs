#!/usr/bin/env node
// Pictures of the pages, made from a stack of their own with data that tells a story; of the admins' also before there is
// anything. Those that the README shows go to docs/screenshots, all the others to end2end/out.
//
//   end2end/screenshots.mjs

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { root, stopOnSignals } from '../scripts/processes.mjs'
import { Visitor, launch } from './browser.mjs'
import { startStack, waitFor } from './stack.mjs'
import { balanceOf, checkoutOf, inState, newestOrder, openCheckout, plan, signIn, signUp, unfold } from './steps.mjs'

const shown = join(root, 'docs', 'screenshots')
const out = fileURLToPath(new URL('out/screenshots/', import.meta.url))
const looks = [
  ['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390],
]
// In the README; the rest is for whoever works on the pages.
const inReadme = new Set([
  'landing-light-1280', 'credits-light-1280', 'credits-dark-1280', 'checkout-light-1280', 'paid-light-1280',
  'transactions-light-1280', 'transactions-dark-390', 'receipt-light-1280',
])

const email = 'ana.sommer@example.com'

/** Buys through the checkout, and gives the order's id. */
async function buy(stack, buyer, name, outcome) {
  await openCheckout(buyer, name)
  const checkout = checkoutOf(buyer.page)
  const { id } = await newestOrder(stack, email)
  await buyer.page.goto('/')
  await stack.control('pay', { checkout_id: checkout, ...outcome })
  await waitFor(async () => (await stack.order(id)).state !== 'opened', 'the payment')
  return id
}

/** Spends credits through the ledger's own door, as an application does. */
async function spend(stack, credits, what) {
  await stack.sql`select spent.* from credits_spend(gen_random_uuid(), 'screenshots', gen_random_uuid()::text, (select id from user_profiles where email = ${email}), ${credits}, 'consumed:app', 'app:studio', ${what}) as spent`
}

async function makeData(stack, browser) {
  const buyer = await Visitor.open(browser, { at: stack.app, javascript: false })
  buyer.stack = stack
  const { page } = buyer
  await signUp(buyer, email)
  await page.goto('/account')
  await page.getByLabel('Name').fill('Ana Sommer')
  await page.getByRole('button', { name: 'Save name' }).click()
  await page.getByText('Your name was saved.').waitFor()
  await buy(stack, buyer, 'Starter')
  await spend(stack, 1_250, 'Studio: 50 renderings')
  await spend(stack, 420, 'Studio: transcription, 42 minutes')
  const failed = await buy(stack, buyer, 'Pro', { outcome: 'insufficient_funds' })
  const paid = await buy(stack, buyer, 'Pro')
  await spend(stack, 3_600, 'Studio: 144 renderings')
  await page.goto('/credits')
  await plan(page, 'Enterprise').getByText('Ask for an offer').click()
  await plan(page, 'Enterprise').getByLabel('Note (optional)').fill('For the whole studio, billed each quarter.')
  await plan(page, 'Enterprise').getByRole('button', { name: 'Request credits' }).click()
  await inState(page, 'requested').waitFor()
  const { id: requested } = await newestOrder(stack, email)
  // One that is being paid, for the picture of the checkout.
  await openCheckout(buyer, 'Starter')
  const made = { paid, failed, requested, checkout: page.url(), storageState: await buyer.context.storageState() }
  if ((await balanceOf(stack, email)) !== 24_730) throw new Error('the data is not what the pictures should show')
  await buyer.close()
  return made
}

/** What admins have to look after: a refund, a dispute, a message that fits nothing, and somebody's credits given by hand. */
async function makeWork(stack, browser, made) {
  const admin = await Visitor.open(browser, { at: stack.app, javascript: false })
  const { page } = admin
  await signIn(admin, 'admin@example.com', 'admin-demo-password')
  await page.waitForURL('**/credits')
  const [{ payment_id: payment, buyer_id: person }] = await stack.sql`select payment_id, buyer_id from payments where order_id = ${made.paid}`
  await page.goto(`/admin/orders/${made.paid}/refund?payment=${payment}&amount=12.00`)
  await page.getByLabel('Reason').fill('Renderings came out grey')
  await page.getByRole('button', { name: 'Refund $' }).click()
  await waitFor(async () => (await stack.sql`select 1 from refunds where payment_id = ${payment} and state = 'succeeded'`).length === 1, 'the refund')
  await stack.control(`payments/${payment}/dispute`, { status: 'needs_response' })
  await waitFor(async () => (await stack.sql`select 1 from disputes where payment_id = ${payment}`).length === 1, 'the dispute')
  await page.goto(`/admin/people/${person}`)
  await unfold(page, 'Grant or take credits')
  await page.getByLabel('Credits', { exact: true }).fill('500')
  await page.getByLabel('Reason for moving credits').fill('For the wait')
  await page.getByRole('button', { name: 'Grant credits' }).click()
  await page.getByText('500 credits were granted.').waitFor()
  const [{ id: strange }] = await stack.sql`update provider_events set state = 'quarantined', reason = 'unknown_order' where id = (select id from provider_events order by received_at limit 1) returning id`
  const [{ id: pro }] = await stack.sql`select id from plans where slug = 'pro'`
  await admin.close()
  return { ...made, payment, person, strange, pro }
}

const emptyDesk = {
  overview: '/admin', orders: '/admin/orders?q=nobody@example.com', requests: '/admin/orders?state=requested', disputes: '/admin/disputes', approvals: '/admin/approvals',
  people: '/admin/people?q=nobody', events: '/admin/events', audit: '/admin/audit?who=nobody@example.com', plans: '/admin/plans', settings: '/admin/settings',
}
const fullDesk = ({ paid, requested, payment, person, strange, pro }) => ({
  overview: '/admin', orders: '/admin/orders', order: `/admin/orders/${paid}`, refund: `/admin/orders/${paid}/refund?payment=${payment}`,
  answer: `/admin/orders/answer?order=${requested}`, disputes: '/admin/disputes', people: '/admin/people', person: `/admin/people/${person}`,
  events: '/admin/events', event: `/admin/events/${strange}`, plans: '/admin/plans', plan: `/admin/plans/${pro}`, 'plan-new': '/admin/plans/new',
  audit: '/admin/audit', settings: '/admin/settings',
})

/** The admins' pages, under a name that begins with `kind`. */
async function pictureDesk(stack, browser, kind, pages) {
  for (const [colorScheme, width] of looks) {
    const admin = await Visitor.open(browser, { at: stack.app, colorScheme, width, height: 800 })
    await signIn(admin, 'admin@example.com', 'admin-demo-password')
    await admin.page.waitForURL('**/credits')
    for (const [name, path] of Object.entries(pages)) {
      await admin.page.goto(path)
      await admin.page.evaluate(() => document.fonts.ready)
      await admin.page.screenshot({ path: join(out, `${kind}-${name}-${colorScheme}-${width}.png`), fullPage: true, animations: 'disabled', scale: 'css' })
    }
    if (admin.problems.length > 0) throw new Error(admin.problems.join('\n'))
    await admin.close()
  }
}

async function takePictures(stack, browser, made) {
  const pages = {
    landing: '/', credits: '/credits', checkout: made.checkout, paid: `/payment/status?order=${made.paid}`,
    failed: `/payment/status?order=${made.failed}`, requested: `/payment/status?order=${made.requested}`,
    transactions: '/transactions', receipt: `/receipt/${made.paid}`, account: '/account', 'sign-in': '/sign-in',
  }
  for (const [colorScheme, width] of looks) {
    const visitor = await Visitor.open(browser, { at: stack.app, colorScheme, width, height: 800, storageState: made.storageState })
    const nobody = await Visitor.open(browser, { at: stack.app, colorScheme, width, height: 800 })
    for (const [name, path] of Object.entries(pages)) {
      const { page } = ['landing', 'sign-in'].includes(name) ? nobody : visitor
      await page.goto(path)
      await page.evaluate(() => document.fonts.ready)
      const file = `${name}-${colorScheme}-${width}`
      const target = join(inReadme.has(file) ? shown : out, `${file}.png`)
      await page.screenshot({ path: target, fullPage: !inReadme.has(file) || width < 1280, animations: 'disabled', scale: 'css' })
    }
    const problems = [...visitor.problems, ...nobody.problems]
    if (problems.length > 0) throw new Error(problems.join('\n'))
    await Promise.all([visitor.close(), nobody.close()])
  }
}

async function main() {
  stopOnSignals(() => process.exit(130))
  for (const folder of [shown, out]) mkdirSync(folder, { recursive: true })
  const stack = await startStack()
  const browser = await launch()
  try {
    await pictureDesk(stack, browser, 'empty', emptyDesk)
    const made = await makeData(stack, browser)
    await takePictures(stack, browser, made)
    await pictureDesk(stack, browser, 'desk', fullDesk(await makeWork(stack, browser, made)))
    console.log(`the pictures are in ${shown} and ${out}`)
  } catch (error) {
    console.error(stack.log())
    throw error
  } finally {
    await browser.close()
    await stack.stop()
  }
}

await main()
