// What people do, in the words of the pages.

import { randomBytes } from 'node:crypto'

export const password = 'correct horse battery'
export const freshMail = () => `visitor-${randomBytes(6).toString('hex')}@example.com`

/** Makes an account whose address is confirmed, and ends on the credits page. */
export async function signUp(visitor, email = freshMail()) {
  await openAccount(visitor, email)
  await visitor.stack.sql`update user_profiles set email = claimed_email, claimed_email = null where claimed_email = ${email} returning id`
  await visitor.page.goto('/credits')
  return email
}

/** The same without confirming that the address is theirs. */
export async function openAccount(visitor, email = freshMail()) {
  const { page } = visitor
  await page.goto('/sign-up')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.waitForURL('**/credits')
  visitor.email = email
  return email
}

/** The newest mail of a kind, as `atlas mail show` prints it. */
export async function newestMail(stack, kind) {
  const [{ id }] = await stack.sql`select max(id) as id from mails where kind = ${kind}`
  return stack.told('mail', 'show', String(id), '--json')
}

/** The path that the link in the newest mail of a kind leads to. */
export async function linkIn(stack, kind) {
  const { text } = await newestMail(stack, kind)
  const { pathname, search } = new URL(text.match(/https?:\/\/\S+\?token=\w+/)[0])
  return pathname + search
}

/** As if nobody had confirmed for ten minutes that it is them. */
export const staleConfirmations = (stack) => stack.sql`update sessions set confirmed_at = now() - interval '10 minutes' returning public_id`

export async function signIn(visitor, email, secret = password) {
  const { page } = visitor
  await page.goto('/sign-in')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(secret)
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
}

/** Opens what an admin can do, where it is folded away under this title. */
export const unfold = (page, title) => page.locator('details.deed:not([open]) > summary').filter({ hasText: title }).click()

/** Everything that is folded away, so that it is looked at, too. */
export const unfoldAll = (page) => page.locator('details').evaluateAll((all) => all.forEach((details) => (details.open = true)))

export const plan = (page, name) => page.getByRole('article', { name })

/** Presses "Buy credits" on a plan and ends on the checkout. */
export async function openCheckout(visitor, name = 'Starter') {
  const { page } = visitor
  await page.goto('/credits')
  await visitor.awake()
  await plan(page, name).getByRole('button', { name: 'Buy credits' }).click()
  await page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
}

/** Presses "Pay" at the checkout and ends on the payment's page. */
export async function pay(visitor) {
  await visitor.page.getByRole('button', { name: 'Pay', exact: true }).click()
  await visitor.page.waitForURL('**/payment/status?**')
}

/** The card of the order on the payment's page, once it has that state. */
export const inState = (page, state) => page.locator(`#order[data-state="${state}"]`)

export const orderOf = (page) => new URL(page.url()).searchParams.get('order')

/** The checkout's id out of its address. */
export const checkoutOf = (page) => new URL(page.url()).searchParams.get('session')

/** The newest order of somebody. */
export async function newestOrder(stack, email) {
  const [order] = await stack.sql`select o.* from credit_orders o join user_profiles p on p.id = o.buyer_id where p.email = ${email} order by o.created_at desc limit 1`
  return order
}

export async function ordersOf(stack, email) {
  return stack.sql`select o.* from credit_orders o join user_profiles p on p.id = o.buyer_id where p.email = ${email} order by o.created_at`
}

/** Posted credits, from the ledger. */
export async function balanceOf(stack, email) {
  const [{ posted }] = await stack.sql`select a.posted from credit_accounts a join user_profiles p on p.id = a.owner_id where p.email = ${email} and a.kind = 'wallet'`
  return posted
}
