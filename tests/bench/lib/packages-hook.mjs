// The module hooks of packages-of.mjs. Node runs them in a thread of their own.

let from = ''
let parent = ''

export function initialize(data) {
  from = data.from
  parent = data.parent
}

export async function resolve(specifier, context, next) {
  const { parentURL = '' } = context
  const isOfTests = parentURL.startsWith(from) && !parentURL.includes('/node_modules/')
  if (!isOfTests || /^(?:[./]|[a-z]+:)/.test(specifier)) return next(specifier, context)
  try {
    return await next(specifier, { ...context, parentURL: parent })
  } catch (error) {
    // A tool that only the newer checkout has. Of our own packages none may come from elsewhere: that would compare a build with itself.
    if (specifier.startsWith('@twinwire/') || error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    return next(specifier, context)
  }
}
