import { expect, it } from 'vitest'
import { FrameLog } from './frames.ts'
import { Mask } from './mask.ts'

const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl'

it.each([
  [`{"type":"auth","token":"Bearer ${jwt}"}`, '{"type":"auth","token":"••••"}'],
  [`authorization: Bearer opaque.token-1`, 'authorization: Bearer ••••'],
  ['authorization: Basic YTpi', 'authorization: Basic ••••'],
  [`{"note":"${jwt}"}`, '{"note":"••••"}'],
  [`GET /a?x=${jwt}&y=1`, 'GET /a?x=••••&y=1'],
  ['{"access_token" : "a\\"b", "name":"c"}', '{"access_token" : "••••", "name":"c"}'],
  [
    '{"accessToken":"a","refreshToken":"b","idToken": "c","clientSecret":"d"}',
    '{"accessToken":"••••","refreshToken":"••••","idToken": "••••","clientSecret":"••••"}',
  ],
  ['{"note":"Bearer 0123456789abcdef"}', '{"note":"Bearer ••••"}'],
  ['{"authorization":"Basic YTpi"}', '{"authorization":"••••"}'],
  ['GET /a\nAuthorization: opaque\naccept: */*', 'GET /a\nAuthorization: ••••\naccept: */*'],
  [
    '{"publisher":"Basic Books","text":"the bearer certificate, Bearer internationalization"}',
    '{"publisher":"Basic Books","text":"the bearer certificate, Bearer internationalization"}',
  ],
  ['{"name":"no token here"}', '{"name":"no token here"}'],
])('%s is shown as %s', (text, shown) => {
  expect(new Mask().apply(text)).toBe(shown)
})

it('a token that was used is hidden wherever it is', () => {
  const mask = new Mask()
  mask.add('opaque+token/1')
  expect(mask.apply('in a name: opaque+token/1!')).toBe('in a name: ••••!')
  mask.add('a')
  expect(mask.apply('a b a')).toBe('a b a')
})

it('frames are masked before they are cut and kept, and the last ones are kept', () => {
  const frames = new FrameLog(new Mask())
  const long = `${' '.repeat(19_990)}Bearer ${jwt}`
  frames.add('ws', 'out', long, long.length)
  expect(frames.all[0]?.text).not.toContain('eyJ')
  expect(frames.all[0]?.text).not.toContain(jwt.slice(0, 8))
  for (let i = 0; i < 500; i += 1) frames.add('ws', 'in', `{"i":${i}}`, 1)
  expect([frames.all.length, frames.all.at(-1)?.text]).toEqual([300, '{"i":499}'])
})
