const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const month = months.join('|')
const time = '(\\d\\d):(\\d\\d):(\\d\\d)'
const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
/** Of RFC 9110, 5.6.7: the usual one, that of RFC 850, and that of `asctime`. */
const usual = new RegExp(`^${day}, (\\d\\d) (${month}) (\\d{4}) ${time} GMT$`)
const rfc850 = new RegExp(`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\\d\\d)-(${month})-(\\d\\d) ${time} GMT$`)
const asctime = new RegExp(`^${day} (${month}) ([ \\d]\\d) ${time} (\\d{4})$`)

/**
 * Epoch milliseconds of an HTTP date in one of its three forms; null for anything else.
 *
 * @example
 * parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT') // 784111777000
 */
export function parseHttpDate(text: string, now: number = Date.now()): number | null {
  if (text.length < 24 || text.length > 33) return null
  const parts = usual.exec(text)
  if (parts !== null) return toMs(parts[3], parts[2], parts[1], parts.slice(4))
  const old = rfc850.exec(text)
  if (old !== null) {
    // A year that is more than 50 years ahead is one of the last century.
    const thisYear = new Date(now).getUTCFullYear()
    const year = Math.floor(thisYear / 100) * 100 + Number(old[3])
    return toMs(String(year > thisYear + 50 ? year - 100 : year), old[2], old[1], old.slice(4))
  }
  const c = asctime.exec(text)
  return c === null ? null : toMs(c[6], c[1], c[2], c.slice(3, 6))
}

function toMs(year = '', name = '', date = '', clock: readonly string[] = []): number | null {
  const [hours = 0, minutes = 0, seconds = 0] = clock.map(Number)
  const at = new Date(Date.UTC(Number(year), months.indexOf(name), Number(date), hours, minutes, seconds))
  // 31 February would be a day in March. A leap second is the next one.
  const isDate = at.getUTCMonth() === months.indexOf(name) || seconds === 60
  return isDate && hours < 24 && minutes < 60 && seconds <= 60 && Number(date) > 0 ? at.getTime() : null
}
