// Bonus credits: an admin puts them on a plan, a buyer gets them with the payment as a lot of their own, and a refund takes both back.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { inState, openCheckout, orderOf, pay, plan, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { stories } = stage()

let count = 0
/** A name that no other story uses. */
const freshName = () => `Bonus plan ${(count += 1)}`

async function admin(visit) {
  const visitor = await visit()
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
  return visitor
}

async function fill(page, fields) {
  for (const [label, value] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(value)
}

const lotsOf = (stack, email) => stack.sql`select l.source, l.remaining::int, l.held::int from credit_lots l join credit_accounts a on a.id = l.account_id
  join user_profiles p on p.id = a.owner_id where p.email = ${email} order by l.id`
const preview = async (page) => {
  await page.waitForLoadState()
  return Object.fromEntries(await page.locator('#preview > div').evaluateAll((rows) => rows.map((row) => [row.children[0].innerText, row.children[1].innerText])))
}

stories('a bonus is set, bought, seen as its own line, and goes back with the money', async ({ stack, visit }) => {
  const [{ page }, buyer] = [await admin(visit), await visit()]
  const name = freshName()
  await page.goto('/admin/plans/new')
  await fill(page, { Name: name, Credits: '25,000', 'Price (empty by agreement)': '32.50' })

  // What is wrong is said at its field, what was typed is kept, and nothing is made.
  for (const [typed, field, said] of [
    [{ 'Bonus credits (optional)': '2.5', 'Bonus ends after days (optional)': '' }, 'bonus_credits', /whole number/],
    [{ 'Bonus credits (optional)': '-1', 'Bonus ends after days (optional)': '' }, 'bonus_credits', /whole number/],
    [{ 'Bonus credits (optional)': '', 'Bonus ends after days (optional)': '30' }, 'bonus_expires_after_days', /no bonus that could end/],
    [{ 'Bonus credits (optional)': '2,500', 'Bonus ends after days (optional)': '0' }, 'bonus_expires_after_days', /from 1 to 3650/],
  ]) {
    await fill(page, typed)
    await page.getByRole('button', { name: 'Make the plan' }).click()
    await page.getByRole('group', { name: 'Please mend this first' }).waitFor()
    assert.match(await page.locator(`#${field}-error`).innerText(), said)
    for (const [label, value] of Object.entries({ Credits: '25,000', ...typed })) {
      assert.equal(await page.getByLabel(label, { exact: true }).inputValue(), value, label)
    }
  }
  await fill(page, { 'Bonus ends after days (optional)': '30' })
  await page.getByRole('button', { name: 'Make the plan' }).click()
  await page.getByText('It is off sale until you put it on sale.').waitFor()
  assert.match(await page.locator('.facts').first().innerText(), /Bonus credits\s+2,500[\s\S]*30 days after they arrive/)
  await page.getByLabel('Why it goes on or off').fill('Season')
  await page.getByRole('button', { name: 'Put on sale' }).click()
  await page.getByText('It is on sale, everywhere within a second.').waitFor()

  await signUp(buyer)
  await waitFor(async () => {
    await buyer.page.goto('/credits')
    return (await plan(buyer.page, name).count()) === 1
  }, 'the plan on the page')
  const card = await plan(buyer.page, name).innerText()
  assert.match(card, /25,000\s*credits\s*\+ 2,500 bonus credits/)
  assert.match(card, /The bonus credits end 30 days after they arrive/)
  if (buyer.javascript) assert.deepEqual([await findings(buyer.page), (await overflow(buyer.page)).excess], [[], 0])
  await openCheckout(buyer, name)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  const order = orderOf(buyer.page)
  assert.match(await inState(buyer.page, 'paid').innerText(), /\+25,000 credits\s*\+2,500 bonus credits/)
  assert.deepEqual(await lotsOf(stack, buyer.email), [
    { source: 'purchase', remaining: 25_000, held: 0 }, { source: 'bonus', remaining: 2_500, held: 0 },
  ])
  await buyer.page.goto('/transactions')
  await buyer.page.getByText(`Bought ${name}`).waitFor()
  await buyer.page.getByText(`Bonus of ${name}`).waitFor()
  await buyer.page.goto(`/receipt/${order}`)
  await buyer.page.getByText('25,000 credits and 2,500 bonus credits').waitFor()

  // A part goes back, and then the rest.
  for (const [amount, term, left] of [
    ['13.00', { credits: '10,000', bonus: '1,000', after: '16,500' }, [15_000, 1_500]],
    ['19.50', { credits: '15,000', bonus: '1,500', after: '0' }, [0, 0]],
  ]) {
    await page.goto(`/admin/orders/${order}`)
    await page.getByText(`${name}, 25,000 credits and 2,500 bonus credits`).waitFor()
    await page.getByRole('link', { name: 'Refund', exact: true }).click()
    await page.getByLabel('Amount in USD').fill(amount)
    await page.getByRole('button', { name: 'Preview' }).click()
    await page.getByText(`${term.credits} credits`).first().waitFor()
    const seen = await preview(page)
    assert.deepEqual([seen['Credits taken back'], seen['Bonus taken back'], seen['Balance after']],
      [`${term.credits} credits`, `${term.bonus} credits`, `${term.after} credits`])
    await page.getByLabel('Reason').fill('Bought by mistake')
    await page.getByRole('button', { name: `Refund $${amount} and take back ${term.credits} credits and ${term.bonus} bonus credits` }).click()
    await page.waitForURL(`**/admin/orders/${order}`)
    await waitFor(async () => {
      const lots = await lotsOf(stack, buyer.email)
      return lots.every((lot, place) => lot.remaining === left[place] && lot.held === 0)
    }, `${left} to be left`)
  }
  await page.goto(`/admin/orders/${order}`)
  await page.getByText('given, 25,000 taken back, of the bonus 2,500 taken back').waitFor()
  await buyer.page.goto(`/payment/status?order=${order}`)
  await buyer.page.getByText('Bonus credits taken back').waitFor()
  await buyer.page.goto('/transactions')
  await buyer.page.getByText(`Refund of ${name}: bonus`).first().waitFor()
})
