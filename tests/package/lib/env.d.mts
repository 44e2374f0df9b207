/** See env.mjs. */
export function quietEnv(more?: NodeJS.ProcessEnv): NodeJS.ProcessEnv
