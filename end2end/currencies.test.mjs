// A price per currency: admins set them, buyers choose one, and are charged, credited and refunded in it.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { waitFor } from './stack.mjs'
import { balanceOf, inState, newestOrder, orderOf, ordersOf, pay, plan, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const summary = (page) => page.getByRole('group', { name: 'Please mend this first' })
const chooser = (page) => page.getByRole('navigation', { name: 'Currency' })
let count = 0
/** A name that no other story uses. */
const freshName = () => `Pack ${(count += 1)}`

async function admin(visit, settings) {
  const visitor = await visit(settings)
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
  return visitor
}

/** Fills the rows of further prices, from the first on. */
async function fillRows(page, rows) {
  for (const [index, [price, currency]] of rows.entries()) {
    await page.getByLabel(`Price ${index + 1}`, { exact: true }).fill(price)
    await page.getByLabel(`Currency ${index + 1}`, { exact: true }).fill(currency)
  }
}

async function fillNew(page, name, rows) {
  await page.goto('/admin/plans/new')
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Credits', { exact: true }).fill('5000')
  await page.getByLabel('Price (empty by agreement)').fill('7.50')
  await fillRows(page, rows)
  await page.getByRole('button', { name: 'Make the plan' }).click()
}

/** Makes a plan for $7.50 and these prices, puts it on sale, and ends on its page. */
async function sell(page, name, rows) {
  await fillNew(page, name, rows)
  await page.getByText('It is off sale until you put it on sale.').waitFor()
  await page.getByLabel('Why it goes on or off').fill('Season')
  await page.getByRole('button', { name: 'Put on sale' }).click()
  await page.getByText('It is on sale, everywhere within a second.').waitFor()
}

async function save(page, rows) {
  await fillRows(page, rows)
  await page.getByLabel('Reason', { exact: true }).fill('Abroad')
  await page.getByRole('button', { name: 'Save as a new version' }).click()
}

/** Goes to an address of the plans until it shows that one. */
async function until(page, address, name, words) {
  await waitFor(async () => {
    await page.goto(address)
    return (await plan(page, name).getByText(words).count()) === 1
  }, `${name} at ${address}: ${words}`)
}

/** Buys the plan in the currency that is shown, and ends on the paid order. Gives what the checkout asked for. */
async function buy(visitor, name) {
  const { page } = visitor
  await visitor.awake()
  await plan(page, name).getByRole('button', { name: 'Buy credits' }).click()
  const due = await page.getByRole('region', { name: 'Your purchase' }).innerText()
  await pay(visitor)
  await inState(page, 'paid').waitFor()
  return due
}

const moneyOf = async (stack, order) => {
  const [row] = await stack.sql`select o.price_minor::int as asked, o.currency, p.amount_minor::int as paid, p.currency as paid_in, p.payment_id as payment from credit_orders o join payments p on p.order_id = o.id where o.id = ${order}`
  return row
}

story('where each plan has one currency there is nothing to choose', async ({ visit }) => {
  const buyer = await visit()
  await signUp(buyer)
  for (const address of ['/credits', '/credits?currency=EUR', '/credits?currency=%3Cb%3E', '/credits?currency=']) {
    await buyer.page.goto(address)
    await plan(buyer.page, 'Starter').getByText('$7.50 once, USD.').waitFor()
    assert.equal(await chooser(buyer.page).count(), 0, address)
  }
  assert.equal((await buyer.cookies()).filter(({ name }) => name === 'currency').length, 0)
})

stories('a buyer chooses a currency, and is charged, credited and refunded in it', async ({ stack, visit }) => {
  const [{ page, javascript }, buyer] = [await admin(visit), await visit()]
  const name = freshName()
  await sell(page, name, [['6.90', 'EUR'], ['', ''], ['1150', 'jpy']])
  await page.getByText('€6.90, ¥1,150', { exact: true }).waitFor()
  assert.deepEqual(await Promise.all([1, 2, 3].map((row) => page.getByLabel(`Currency ${row}`, { exact: true }).inputValue())), ['EUR', 'JPY', ''])
  await page.getByText('The plan at Whop carries the main price.').waitFor()
  const email = await signUp(buyer)
  await until(buyer.page, '/credits', name, '$7.50 once, USD.')
  assert.equal(await chooser(buyer.page).getByRole('link', { name: 'USD' }).getAttribute('aria-current'), 'true')

  await chooser(buyer.page).getByRole('link', { name: 'EUR' }).click()
  await plan(buyer.page, name).getByText('€6.90 once, EUR.').waitFor()
  assert.equal(new URL(buyer.page.url()).search, '?currency=EUR')
  await plan(buyer.page, name).getByText('€1.38 per 1,000').waitFor()
  assert.match(await plan(buyer.page, 'Pro').innerText(), /\$32\.50[\s\S]*Not sold in EUR\.[\s\S]*\$32\.50 once, USD\./)
  if (javascript) assert.deepEqual(await findings(buyer.page), [])
  await buyer.page.goto('/credits')
  await plan(buyer.page, name).getByText('€6.90 once, EUR.').waitFor()
  assert.match(await buy(buyer, name), /6\.90 EUR/)
  const order = orderOf(buyer.page)
  const { payment, ...told } = await moneyOf(stack, order)
  assert.deepEqual(told, { asked: 690, currency: 'eur', paid: 690, paid_in: 'eur' })
  assert.equal((await stack.whop(`payments/${payment}`)).currency, 'eur')
  await buyer.page.goto(`/receipt/${order}`)
  await buyer.page.getByText('€6.90').first().waitFor()

  await page.goto(`/admin/orders/${order}`)
  await page.getByRole('link', { name: 'Refund', exact: true }).click()
  await page.getByLabel('Amount in EUR').fill('2.30')
  await page.getByRole('button', { name: 'Preview' }).click()
  await page.getByLabel('Reason').fill('A third too much')
  await page.getByRole('button', { name: 'Refund €2.30' }).click()
  await page.waitForURL(`**/admin/orders/${order}`)
  await waitFor(async () => (await stack.sql`select 1 from refunds where payment_id = ${payment} and state = 'succeeded' and amount_minor = 230 and currency = 'eur'`).length === 1, 'the refund in euros')
  await waitFor(async () => Number(await balanceOf(stack, email)) === 5000 - 1666, 'the credits to go back')

  await buyer.page.goto('/credits?currency=JPY')
  await plan(buyer.page, name).getByText('¥1,150 once, JPY.').waitFor()
  assert.match(await buy(buyer, name), /1150 JPY/)
  const { asked, currency, paid, paid_in: paidIn } = await moneyOf(stack, orderOf(buyer.page))
  assert.deepEqual([asked, currency, paid, paidIn], [1150, 'jpy', 1150, 'jpy'])
  await page.goto('/admin')
  const revenue = page.getByRole('definition').filter({ hasText: /paid for credits/ })
  assert.match(await revenue.innerText(), /^and ¥[\d,]+; paid for credits/, 'beside the euros, not among them')
  await buyer.page.goto('/')
  await buyer.page.getByText('Also €6.90, ¥1,150.').first().waitFor()
})

stories('a price that was dropped before the button was pressed is refused, and nothing happens', async ({ stack, visit }) => {
  const [{ page }, buyer] = [await admin(visit), await visit()]
  const name = freshName()
  await sell(page, name, [['6.90', 'EUR'], ['5.90', 'GBP']])
  const email = await signUp(buyer)
  await until(buyer.page, '/credits?currency=GBP', name, '£5.90 once, GBP.')
  await save(page, [['6.90', 'EUR'], ['', '']])
  await page.getByText('Saved as version 2.').waitFor()
  const versions = page.getByRole('region', { name: 'Versions' })
  assert.match(await versions.innerText(), /\$7\.50, €6\.90[\s\S]*\$7\.50, €6\.90, £5\.90/)
  await plan(buyer.page, name).getByRole('button', { name: 'Buy credits' }).click()
  await buyer.page.getByText('This plan is not sold in GBP any more. Nothing was charged.').waitFor()
  assert.deepEqual(await ordersOf(stack, email), [])
  await waitFor(async () => {
    await buyer.page.goto('/credits')
    return (await plan(buyer.page, name).getByText('$7.50 once, USD.').count()) === 1
  }, 'the main price again')
  await chooser(buyer.page).getByRole('link', { name: 'EUR' }).click()
  await plan(buyer.page, name).getByText('€6.90 once, EUR.').waitFor()
  await buyer.awake()
  await plan(buyer.page, name).getByRole('button', { name: 'Buy credits' }).click()
  await buyer.page.getByRole('button', { name: 'Pay', exact: true }).waitFor()
  assert.equal((await newestOrder(stack, email)).currency, 'eur')
})

stories('what is wrong with a price is said at its row, and what was typed is kept', async ({ stack, visit }) => {
  const { page, javascript } = await admin(visit)
  const before = await stack.sql`select count(*)::int as n from plan_versions`
  const tries = [
    [[['1150.5', 'JPY']], 'other-price-1', /JPY has no decimals/],
    [[['6.905', 'EUR']], 'other-price-1', /EUR has 2 decimals/],
    [[['-6.90', 'EUR']], 'other-price-1', /negative/],
    [[['999999999999999999', 'EUR']], 'other-price-1', /too much/],
    [[['6.90', 'EUR'], ['', ''], ['7', 'eur']], 'other-currency-3', /EUR stands in a row above/],
    [[['6.90', 'USD']], 'other-currency-1', /in USD already/],
    [[['6.90', 'XYZ']], 'other-currency-1', /three letters/],
    [[['6.90', '']], 'other-currency-1', /three letters/],
    [[['', 'EUR']], 'other-price-1', /Enter the price in EUR/],
    [[['<b>1</b>', 'EUR']], 'other-price-1', /in digits/],
  ]
  for (const [rows, field, message] of tries) {
    await fillNew(page, freshName(), rows)
    await summary(page).waitFor()
    assert.match(await page.locator(`#${field}-error`).innerText(), message)
    assert.equal(await page.locator(`#${field}`).getAttribute('aria-describedby'), `${field}-error`)
    await summary(page).locator(`a[href="#${field}"]`).waitFor()
    for (const [index, [price, currency]] of rows.entries()) {
      assert.equal(await page.getByLabel(`Price ${index + 1}`, { exact: true }).inputValue(), price)
      assert.equal(await page.getByLabel(`Currency ${index + 1}`, { exact: true }).inputValue(), currency)
    }
  }
  if (javascript) assert.deepEqual(await findings(page), [])
  assert.deepEqual(await stack.sql`select count(*)::int as n from plan_versions`, before, 'nothing half-saved')
  // More than are in view, and nothing else of the form is lost.
  await page.getByText('More currencies').click()
  await fillRows(page, ['EUR', 'GBP', 'CHF', 'SEK', 'NOK', 'DKK', 'PLN', 'CZK', 'AUD', 'CAD'].map((currency, index) => [`${index + 5}`, currency]))
  await page.getByRole('button', { name: 'Make the plan' }).click()
  await page.getByText('It is off sale until you put it on sale.').waitFor()
  assert.equal(await page.getByLabel('Currency 10', { exact: true }).inputValue(), 'SEK')
  assert.equal(await page.getByText('More currencies').count(), 0)
})

stories('the second of two admins sees which prices the first one changed', async ({ visit }) => {
  const [{ page: first }, { page: second, javascript }] = [await admin(visit), await admin(visit)]
  await fillNew(first, freshName(), [['6.90', 'EUR']])
  await first.getByText('It is off sale until you put it on sale.').waitFor()
  await second.goto(first.url())
  await save(first, [['7.10', 'EUR'], ['1150', 'JPY']])
  await first.getByText('Saved as version 2.').waitFor()
  await save(second, [['6.50', 'eur']])
  await summary(second).getByText('Somebody else changed this plan meanwhile.').waitFor()
  await second.waitForLoadState()
  const rows = await second.getByRole('region', { name: 'Changed meanwhile' }).locator('tbody tr').allInnerTexts()
  assert.deepEqual(rows.map((row) => row.split(/\t|\n/).map((cell) => cell.trim()).filter(Boolean)), [['Other currencies', '7.10 EUR, 1150 JPY', '6.50 EUR']])
  assert.equal(await second.getByLabel('Price 1', { exact: true }).inputValue(), '6.50', 'what was typed is kept')
  if (javascript) assert.deepEqual(await findings(second), [])
})

story('what an address or a cookie says of a currency is no more than a wish', async ({ stack, visit }) => {
  const [{ page }, buyer] = [await admin(visit), await visit()]
  const name = freshName()
  await sell(page, name, [['6.90', 'EUR']])
  const email = await signUp(buyer)
  await until(buyer.page, '/credits?currency=usd', name, '$7.50 once, USD.')
  for (const asked of ['GBP"><b>', 'KWD', '%00', 'EURO', '€', 'x'.repeat(2_000)]) {
    await buyer.page.goto(`/credits?currency=${asked}`)
    await plan(buyer.page, name).getByText('$7.50 once, USD.').waitFor()
    await buyer.context.addCookies([{ name: 'currency', value: encodeURIComponent(asked), url: stack.app }])
    await buyer.page.goto('/credits')
    await plan(buyer.page, name).getByText('$7.50 once, USD.').waitFor()
  }
  // A form that somebody changed by hand.
  buyer.expected.push(/status of 4/)
  for (const [currency, said] of [['kwd', 'This plan is not sold in KWD any more.'], ['EURO', 'This form is incomplete.'], ['%00', 'This form is incomplete.']]) {
    await buyer.page.goto('/credits')
    await plan(buyer.page, name).locator('input[name="currency"]').evaluate((field, value) => (field.value = value), currency)
    await plan(buyer.page, name).getByRole('button', { name: 'Buy credits' }).click()
    await buyer.page.getByText(said).waitFor()
  }
  assert.deepEqual(await ordersOf(stack, email), [])
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1280]) {
    story(`prices in many currencies read well, ${colorScheme}, ${width} wide`, async ({ visit }) => {
      const { page } = await admin(visit, { colorScheme, width })
      const name = freshName()
      const many = [['10000000000', 'EUR'], ['1150', 'JPY'], ['5.90', 'GBP']]
      await sell(page, name, many)
      const own = new URL(page.url()).pathname
      await save(page, [['6,90', 'EUR'], ['1150', 'YEN'], ['', 'GBP'], ['7', 'EUR']])
      await summary(page).waitFor()
      assert.deepEqual(['refused', await findings(page), (await overflow(page)).excess], ['refused', [], 0])
      await until(page, '/credits?currency=JPY', name, '¥1,150 once, JPY.')
      for (const path of ['/credits?currency=EUR', '/', '/admin/plans', '/admin/plans/new', own]) {
        await page.goto(path)
        await page.locator('details').evaluateAll((all) => all.forEach((details) => (details.open = true)))
        assert.deepEqual([path, await findings(page), (await overflow(page)).excess], [path, [], 0])
      }
    })
  }
}
