// Buying takes a membership: by a linked Whop account, or by a licence key.

import assert from 'node:assert/strict'
import { stage } from './story.mjs'
import { waitFor } from './stack.mjs'
import { freshMail, openCheckout, plan, signUp } from './steps.mjs'

const { stories } = stage({ ATLAS_REQUIRE_MEMBERSHIP: 'prod_Members01', ATLAS_REQUIRE_MEMBERSHIP_EXCEPT: 'pro' })

const notice = (page) => page.getByRole('main').getByRole('status')

async function isRefused(page, words) {
  await page.goto('/credits')
  await plan(page, 'Starter').getByRole('button', { name: 'Buy credits' }).click()
  await notice(page).getByText(words).waitFor()
}

stories('who has no membership is told why and what to do, and gets in with a licence key, once', async ({ visit, stack }) => {
  const [ana, ben] = [await visit(), await visit()]
  for (const visitor of [ana, ben]) await signUp(visitor)
  await ana.page.goto('/credits')
  await ana.page.getByText('Buying credits takes a membership.').waitFor()
  await ana.awake()
  await ana.page.getByText('Anybody may buy Pro.').waitFor()
  await isRefused(ana.page, 'Buying here takes a membership.')
  await ana.page.goto('/credits')
  await openCheckout(ana, 'Pro')
  const { license_key: key } = await stack.control('memberships', { email: freshMail(), product_id: 'prod_Members01' })
  const enter = async ({ page }, text) => {
    await page.goto('/account')
    await page.getByLabel('Licence key').fill(text)
    await page.getByRole('button', { name: 'Use this key' }).click()
  }
  await enter(ana, 'AAAAAA-BBBBBB')
  await ana.page.getByText('This key isn’t known.').first().waitFor()
  assert.equal(await ana.page.getByLabel('Licence key').inputValue(), '', 'what was typed is not shown again')
  await enter(ana, key)
  await notice(ana.page).getByText('Your membership is known now.').waitFor()
  await enter(ben, key)
  await ben.page.getByText('This licence key is somebody else’s already.').first().waitFor()
  await openCheckout(ana)
})

stories('a membership of a linked account opens the shop, and its end closes it', async ({ visit, stack }) => {
  const visitor = await visit()
  const { page } = visitor
  const email = freshMail()
  const member = await stack.control('memberships', { email, product_id: 'prod_Members01' })
  await page.goto('/sign-in')
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Whop' }).click()
  await page.getByRole('textbox', { name: /^(As|Or as somebody else)/ }).fill(email)
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.waitForURL('**/credits')
  await openCheckout(visitor)
  await stack.control(`memberships/${member.id}/status`, { status: 'expired' })
  await waitFor(async () => (await stack.sql`select gives_access from memberships where id = ${member.id}`)[0]?.gives_access === false, 'the news')
  await page.goto('/credits')
  await page.getByText('yours has ended').waitFor()
  await visitor.awake()
  await isRefused(page, 'Your membership has ended.')
  await stack.control(`memberships/${member.id}/status`, { status: 'active' })
  await waitFor(async () => (await stack.sql`select gives_access from memberships where id = ${member.id}`)[0]?.gives_access, 'the news')
  await openCheckout(visitor)
})
