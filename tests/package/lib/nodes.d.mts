/** See nodes.mjs. */
export function findNodes(): readonly { readonly version: string; readonly path: string }[]
