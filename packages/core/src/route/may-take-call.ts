/** Native and bound functions and proxies hide what they pass on. Rest parameters and `arguments` are not part of `length`. */
const hidesParameters = /\[native code\]|\barguments\b|\.\.\.|\beval\b/
const bareParameter = /^(?:async\s+)?[\w$]+\s*=>/
/** Before the list of parameters: a name, and none that could contain a bracket. */
const plainName = /^[\w$\s*#]*$/

/**
 * May a handler get the call, which is its second parameter? `length` does not say: it does not count rest parameters, those with a default, nor `arguments`.
 * False only for a function whose source shows a single parameter; read at boot.
 *
 * @example
 * mayTakeCall(({ id }) => id) // false
 * mayTakeCall((input, call) => call.id) // true
 * mayTakeCall((input, ...rest) => handle(input, ...rest)) // true
 */
export function mayTakeCall(handler: object): boolean {
  if (typeof handler !== 'function' || handler.length !== 1) return true
  // Not the function's own `toString`, which it may replace.
  const source = Function.prototype.toString.call(handler)
  if (hidesParameters.test(source)) return true
  if (bareParameter.test(source)) return false
  const start = source.indexOf('(')
  return !plainName.test(source.slice(0, start)) || hasSecondParameter(source, start)
}

/** `start`: where the list of parameters opens. True also where a string or a comment in it makes that hard to see. */
function hasSecondParameter(source: string, start: number): boolean {
  let depth = 0
  for (let i = start; i < source.length; i++) {
    const character = source[i] ?? ''
    if ('([{'.includes(character)) depth++
    else if (')]}'.includes(character)) depth--
    else if (depth === 1 && character === ',') return true
    else if ('\'"`/'.includes(character)) return true
    if (depth === 0) return false
  }
  return true
}
