// Requests by agreement: admins find them, approve or reject them, one or many; their buyers see what was said.

import assert from 'node:assert/strict'
import { findings, overflow } from './axe.mjs'
import { balanceOf, inState, newestOrder, plan, signIn, signUp } from './steps.mjs'
import { stage } from './story.mjs'

const { story, stories } = stage()

const asAdmin = async (visitor) => {
  await signIn(visitor, 'admin@example.com', 'admin-demo-password')
  await visitor.page.waitForURL('**/credits')
}

/** A buyer who has asked for Enterprise. */
async function whoAsks(visit, stack, note) {
  const buyer = await visit()
  await signUp(buyer)
  const card = plan(buyer.page, 'Enterprise')
  await card.getByText('Ask for an offer').click()
  await card.getByLabel('Note (optional)').fill(note)
  await card.getByRole('button', { name: 'Request credits' }).click()
  await inState(buyer.page, 'requested').waitFor()
  return { buyer, email: buyer.email, page: buyer.page, order: await newestOrder(stack, buyer.email) }
}

const search = async (page, text) => {
  await page.goto('/admin/orders')
  await page.getByLabel('Search').fill(text)
  await page.getByRole('button', { name: 'Find' }).click()
}

stories('a request is found, corrected and approved, and the next admin is told so', async ({ stack, visit }) => {
  const asked = await whoAsks(visit, stack, 'For <b>12</b> people')
  const [admin, second] = [await visit(), await visit()]
  await asAdmin(admin)
  await asAdmin(second)
  await search(admin.page, asked.email)
  await admin.page.locator('tbody th a').click()
  await admin.page.getByText('For <b>12</b> people').waitFor()
  await admin.page.getByRole('link', { name: 'Answer this request' }).click()
  await second.page.goto(admin.page.url())

  // What is wrong is said, what was typed is kept, and nothing happens.
  await admin.page.getByLabel('Credits').fill('12.5')
  await admin.page.getByLabel('Reason').fill('Agreed on the phone')
  await admin.page.getByRole('button', { name: 'Approve' }).click()
  await admin.page.getByRole('group', { name: 'Please mend this first' }).waitFor()
  assert.deepEqual(
    [await admin.page.getByLabel('Credits').inputValue(), await admin.page.getByLabel('Reason').inputValue()],
    ['12.5', 'Agreed on the phone'],
  )
  assert.equal(Number(await balanceOf(stack, asked.email)), 0)

  await admin.page.getByLabel('Credits').fill('80,000')
  await admin.page.getByRole('button', { name: 'Approve' }).click()
  await admin.page.getByText('The request was approved.').waitFor()
  await admin.page.getByText('Approved, 80,000 credits, by admin@example.com').waitFor()
  assert.equal(Number(await balanceOf(stack, asked.email)), 80_000)

  await second.page.getByLabel('Reason').fill('Also fine')
  await second.page.getByRole('button', { name: 'Approve' }).click()
  await second.page.getByText('somebody else had answered it before').waitFor()
  assert.equal(Number(await balanceOf(stack, asked.email)), 80_000)

  await asked.page.goto(`/payment/status?order=${asked.order.id}`)
  await inState(asked.page, 'approved').waitFor()
  await asked.page.getByText('+80,000').waitFor()
  await asked.page.goto(`/receipt/${asked.order.id}`)
  await asked.page.getByText('80,000 credits, approved by hand').waitFor()
})

stories('a rejected request tells its buyer why', async ({ stack, visit }) => {
  const asked = await whoAsks(visit, stack, '')
  const admin = await visit()
  await asAdmin(admin)
  await admin.page.goto(`/admin/orders/answer?order=${asked.order.id}`)
  await admin.page.getByRole('button', { name: 'Reject' }).click()
  await admin.page.getByRole('link', { name: 'Say why, in a few words.' }).waitFor()
  await admin.page.getByLabel('Reason').fill('We know <i>nothing</i> of this company.')
  await admin.page.getByRole('button', { name: 'Reject' }).click()
  await admin.page.getByText('The request was rejected.').waitFor()
  await asked.page.goto(`/payment/status?order=${asked.order.id}`)
  await inState(asked.page, 'rejected').waitFor()
  await asked.page.getByText('We know <i>nothing</i> of this company.').waitFor()
  assert.equal(Number(await balanceOf(stack, asked.email)), 0)
})

stories('many requests are approved together, after a look at them', async ({ stack, visit }) => {
  const asked = [await whoAsks(visit, stack, 'One'), await whoAsks(visit, stack, 'Two'), await whoAsks(visit, stack, 'Three')]
  const admin = await visit()
  const { page } = admin
  await asAdmin(admin)
  await page.goto('/admin/orders?state=requested')
  for (const { email } of asked) await page.getByLabel(`Choose the request of ${email}`).check()
  await page.getByRole('button', { name: 'Answer the chosen requests' }).click()
  await page.getByRole('heading', { name: 'Answer 3 requests' }).waitFor()
  await page.getByText('Approving gives 300,000 credits in all, at once.').waitFor()
  await page.getByLabel('Reason').fill('The offer of November')
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByText('3 requests were approved.').waitFor()
  for (const { email } of asked) assert.equal(Number(await balanceOf(stack, email)), 100_000)
})

story('a request is approved with the keyboard alone', async ({ stack, visit }) => {
  const asked = await whoAsks(visit, stack, '')
  const admin = await visit()
  const { page } = admin
  await asAdmin(admin)
  await page.goto(`/admin/orders/${asked.order.id}`)
  await admin.awake()
  const tabTo = async (name) => {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press('Tab')
      if (await page.evaluate((name) => (document.activeElement?.labels?.[0]?.innerText ?? document.activeElement?.innerText ?? '').trim() === name, name)) return
    }
    assert.fail(`no way to ${name} by the keyboard`)
  }
  await tabTo('Answer this request')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: /Answer the request of/ }).waitFor()
  await tabTo('Reason')
  await page.keyboard.type('Agreed')
  await tabTo('Approve')
  await page.keyboard.press('Enter')
  await page.getByText('The request was approved.').waitFor()
  assert.equal(Number(await balanceOf(stack, asked.email)), 100_000)
})

story('buyers and strangers find nothing at the orders of everybody', async ({ stack, visit }) => {
  const asked = await whoAsks(visit, stack, '')
  asked.buyer.expected.push(/status of 404/)
  const stranger = await visit()
  stranger.expected.push(/status of 404/)
  for (const visitor of [asked.buyer, stranger]) {
    for (const path of ['/admin/orders', `/admin/orders/${asked.order.id}`, `/admin/orders/answer?order=${asked.order.id}`]) {
      const answer = await visitor.page.goto(path)
      assert.equal(answer.status(), 404)
      assert.ok(!(await visitor.page.locator('main').innerText()).includes(asked.email))
    }
  }
})

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    story(`the orders of everybody read well, ${colorScheme}, ${width} wide`, async ({ stack, visit }) => {
      const asked = await whoAsks(visit, stack, 'A note of several words, so that it takes some room on the page')
      const admin = await visit({ colorScheme, width })
      await asAdmin(admin)
      for (const path of ['/admin', '/admin/orders', '/admin/orders?q=nobody', `/admin/orders/${asked.order.id}`, `/admin/orders/answer?order=${asked.order.id}`]) {
        await admin.page.goto(path)
        await admin.awake()
        assert.deepEqual([path, await findings(admin.page), (await overflow(admin.page)).excess], [path, [], 0])
      }
    })
  }
}
