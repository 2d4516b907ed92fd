// What can be measured of a page's accessibility: axe's findings, and whether it is wider than its window.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe finds serious or critical on the page. */
export async function findings(page) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }))
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target.join(' ')}: ${failureSummary.split('\n').slice(1).join(';').trim()}`))
}

/** By how much the page is wider than the window, and what sticks out. */
export function overflow(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    const sticksOut = (element) => element.getBoundingClientRect().right > width + 0.5
    return {
      excess: document.scrollingElement.scrollWidth - width,
      culprits: [...document.querySelectorAll('body *')].filter(sticksOut).slice(0, 5).map(({ outerHTML }) => outerHTML.slice(0, 60)),
    }
  })
}
