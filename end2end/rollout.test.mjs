// Who pays at Whop and who orders by request: set by an admin, for everybody or for one person, and held by the server.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { inState, newestOrder, openCheckout, ordersOf, pay, plan, signIn, signUp, unfold, unfoldAll } from './steps.mjs'
import { waitFor } from './stack.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

async function admin(visit, settings) {
  const visitor = await visit(settings)
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
  return visitor
}

const form = (page, button) => page.locator('form').filter({ has: page.getByRole('button', { name: button }) })

async function setRollout(page, percent, reason) {
  await page.goto('/admin/settings')
  const rollout = form(page, 'Set the rollout')
  await rollout.getByLabel('Percentage on Whop').fill(percent)
  await rollout.getByLabel('Why this percentage').fill(reason)
  await rollout.getByRole('button').click()
}

/** A change reaches the pages within a second; so it is looked for until it is there. */
const offers = (page, button) => waitFor(async () => {
  await page.goto('/credits')
  return (await plan(page, 'Starter').getByRole('button', { name: button, exact: true }).count()) === 1
}, `Starter with the button ${button}`)

stories('a rollout puts people on Whop or on requests, and one person apart', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const buyer = await visit()
  const email = await signUp(buyer)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  try {
    // What is wrong is said, what was typed is kept, and nothing happens.
    await setRollout(page, '101', ' ')
    await page.getByRole('group', { name: 'Please mend this first' }).waitFor()
    await page.getByRole('link', { name: 'Give a whole number from 0 to 100.' }).waitFor()
    await page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
    assert.equal(await page.getByLabel('Percentage on Whop').inputValue(), '101')
    await page.getByText('Everybody pays at Whop.').waitFor()

    await offers(buyer.page, 'Buy credits')
    await setRollout(page, '0', 'Everybody by <i>hand</i> first')
    await page.getByText('0 % of all people are on Whop, everywhere within a second.').waitFor()
    await page.getByText('Everybody by <i>hand</i> first').first().waitFor()
    // A page that was open before still has the other button; the server takes no checkout from it.
    await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
    await buyer.page.getByText('Your orders go by request for now.').waitFor()
    assert.deepEqual(await ordersOf(stack, email), [])

    await offers(buyer.page, 'Request credits')
    const starter = plan(buyer.page, 'Starter')
    await starter.getByText('Add a note').click()
    await starter.getByLabel('Note (optional)').fill('For <b>us</b>')
    await starter.getByRole('button', { name: 'Request credits' }).click()
    await inState(buyer.page, 'requested').waitFor()
    const order = await newestOrder(stack, email)
    assert.deepEqual([order.provider, order.price_minor, order.note], ['manual', 750, 'For <b>us</b>'])

    await page.goto(`/admin/people/${id}`)
    await unfold(page, 'Set their payment path')
    await page.getByLabel('Payment path').selectOption('whop')
    const path = form(page, 'Set the path')
    await path.getByLabel('Why this path').fill(' ')
    await path.getByRole('button').click()
    await page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
    assert.equal(await page.getByLabel('Payment path').inputValue(), 'whop', 'what was chosen is kept')
    await path.getByLabel('Why this path').fill('Helps us to try it')
    await path.getByRole('button').click()
    await page.getByText('Their new orders go through Whop now, whatever holds for others.').waitFor()
    await openCheckout(buyer)
    await pay(buyer)
    await inState(buyer.page, 'paid').waitFor()

    await page.goto('/admin/settings')
    await page.getByText('payment path of their own').waitFor()
    await page.getByRole('link', { name: 'See who has' }).click()
    await page.getByRole('link', { name: email }).click()
    await unfold(page, 'Set their payment path')
    await page.getByLabel('Payment path').selectOption('')
    await path.getByLabel('Why this path').fill('Tried')
    await path.getByRole('button').click()
    await page.getByText('They order as everybody does now.').waitFor()
    await offers(buyer.page, 'Request credits')
  } finally {
    await setRollout(page, '', 'The test is over')
    await page.getByText('The rollout is over').waitFor()
  }
  await offers(buyer.page, 'Buy credits')
})

stories('the default holds while no rollout does, and a limit stops one person', async ({ stack, visit }) => {
  const { page } = await admin(visit)
  const buyer = await visit()
  const email = await signUp(buyer)
  const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
  const setDefault = async (provider) => {
    await page.goto('/admin/settings')
    await page.getByLabel('Default provider').selectOption(provider)
    await page.getByLabel('Why this default').fill('A test')
    await page.getByRole('button', { name: 'Set the default' }).click()
    await page.getByText('The default is').waitFor()
  }
  try {
    await setDefault('manual')
    await offers(buyer.page, 'Request credits')
  } finally {
    await setDefault('whop')
  }
  await offers(buyer.page, 'Buy credits')

  await page.goto(`/admin/people/${id}`)
  await unfold(page, 'Limit what they may buy')
  const limit = form(page, 'Set the limit')
  await limit.getByLabel('Credits they may buy in 24 hours').fill('a few')
  await limit.getByLabel('Why this limit').fill('New here')
  await limit.getByRole('button').click()
  await page.getByRole('link', { name: 'Give a whole number of credits, or nothing for no limit.' }).waitFor()
  assert.equal(await page.getByLabel('Credits they may buy in 24 hours').inputValue(), 'a few')
  await limit.getByLabel('Credits they may buy in 24 hours').fill('5,000')
  await limit.getByRole('button').click()
  await page.getByText('They may buy at most 5,000 credits within 24 hours now.').waitFor()
  await openCheckout(buyer)
  await pay(buyer)
  await inState(buyer.page, 'paid').waitFor()
  await buyer.page.goto('/credits')
  await plan(buyer.page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await buyer.page.getByText('You can buy at most 5,000 credits within 24 hours').waitFor()
  assert.equal((await ordersOf(stack, email)).length, 1)
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`requests for every plan and the switches read well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const boss = await admin(visit, { colorScheme, width })
      const buyer = await visit({ colorScheme, width })
      const email = await signUp(buyer)
      await stack.change`update user_profiles set payment_path = 'manual', daily_credits_max = 5000 where email = ${email}`
      const [{ id }] = await stack.sql`select id from user_profiles where email = ${email}`
      await offers(buyer.page, 'Request credits')
      const pages = [[buyer, '/credits'], [boss, '/admin/settings'], [boss, `/admin/people/${id}`], [boss, '/admin/people?path=own']]
      for (const [visitor, path] of pages) {
        await visitor.page.goto(path)
        await visitor.awake()
        await unfoldAll(visitor.page)
        assert.deepEqual([path, await findings(visitor.page), (await overflow(visitor.page)).excess], [path, [], 0])
      }
    })
  }
}
