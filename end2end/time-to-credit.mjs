#!/usr/bin/env node
// How long a buyer waits: from the provider's "paid" to the credits on the open page, over a hundred purchases in a real
// Chromium. Both ends read the same clock. Prints the figures, and fails when the 95th percentile is above a second.
//
//   end2end/time-to-credit.mjs [purchases]

import { stopOnSignals } from '../scripts/processes.mjs'
import { Visitor, launch } from './browser.mjs'
import { startStack } from './stack.mjs'
import { checkoutOf, inState, newestOrder, openCheckout, signUp } from './steps.mjs'

const purchases = Number(process.argv[2] ?? 100)
const p95MostMs = 1_000

/** One purchase: the milliseconds between the two moments. */
async function purchase(stack, buyer) {
  const { page } = buyer
  await openCheckout(buyer)
  const checkout = checkoutOf(page)
  const { id } = await newestOrder(stack, buyer.email)
  await page.goto(`/payment/status?order=${id}`)
  await inState(page, 'opened').waitFor()
  await buyer.awake()
  await listening(page)
  const shown = page.evaluate(() => new Promise((told) => {
    const look = () => {
      const shows = document.querySelector('#order[data-state="paid"] .status-gain')
      if (shows) told(Date.now())
      return shows
    }
    new MutationObserver((_, observer) => look() && observer.disconnect()).observe(document.body, { childList: true, subtree: true, attributes: true })
    look()
  }))
  const { paid_at: paidAt } = await stack.control('pay', { checkout_id: checkout })
  return (await shown) - Date.parse(paidAt)
}

/** Until the page's event stream stands. */
function listening(page) {
  return page.waitForFunction(() => globalThis.streams > 0)
}

async function main() {
  stopOnSignals(() => process.exit(130))
  const stack = await startStack()
  const browser = await launch()
  const waits = []
  try {
    const buyer = await Visitor.open(browser, { at: stack.app })
    await buyer.context.addInitScript(() => {
      const Native = globalThis.EventSource
      globalThis.EventSource = class extends Native {
        constructor(...address) {
          super(...address)
          this.addEventListener('open', () => (globalThis.streams = (globalThis.streams ?? 0) + 1))
        }
      }
    })
    await signUp(buyer)
    for (let done = 0; done < purchases; done += 1) {
      waits.push(await purchase(stack, buyer))
      if (process.stdout.isTTY) process.stdout.write(`\r${done + 1} of ${purchases}`)
    }
    const granted = await stack.grants()
    if (granted !== purchases) throw new Error(`${purchases} purchases, ${granted} grants`)
    if (buyer.problems.length > 0) throw new Error(buyer.problems.join('\n'))
  } catch (error) {
    console.error(stack.log())
    throw error
  } finally {
    await browser.close()
    await stack.stop()
  }
  waits.sort((a, b) => a - b)
  const at = (share) => waits[Math.min(waits.length - 1, Math.ceil(share * waits.length) - 1)]
  console.log(`\nfrom paid at the provider to credits on the open page, ${purchases} purchases: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, worst ${at(1)} ms`)
  if (at(0.95) >= p95MostMs) {
    console.error(`the 95th percentile must be under ${p95MostMs} ms`)
    process.exitCode = 1
  }
}

await main()
