// The rules of scripts/lint.mjs find what they are for, and nothing in what is there.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findings, withoutTests } from './lint.mjs'

const bad = [
  ['T53', 'view! { <Title text=format!("{name} · Atlas") /> }'],
  ['T53', 'view! { <textarea name="note">{note}</textarea> }'],
  ['T53', 'view! { <p inner_html=name></p> }'],
  ['T53', 'view! { <script>{state}</script> }'],
  ['T53', 'element.set_inner_html(&name);'],
  ['T53', 'view! { <a href="JavaScript:history.back()">"Back"</a> }'],
  ['T42', '#[server(input = GetUrl)] pub async fn end_session() {}'],
  ['T57', 'Err(ServerFnError::new(error.to_string()))'],
  ['T61', 'sqlx::query(AssertSqlSafe(format!("select {column} from plans")))'],
]

test('what would make markup, SQL or a change of a stranger’s text is found (T42, T53, T57, T61)', () => {
  const page = /app\/src\/pages\/credits\.rs$/
  for (const [row, text] of bad) {
    const read = (path) => (page.test(path) ? `${text}\n${readFileSync(path, 'utf8')}` : readFileSync(path, 'utf8'))
    const [first] = findings(read)
    assert.match(first ?? '', new RegExp(`^app/src/pages/credits\\.rs:1: ${row}: `), text)
  }
})

test('nothing of it is there, but in tests and comments', () => {
  assert.deepEqual(findings(), [])
  const text = 'fn a() {}\n// AssertSqlSafe\n#[cfg(test)]\nmod tests {\n    AssertSqlSafe\n}\n'
  assert.doesNotMatch(withoutTests(text), /AssertSqlSafe/)
})
