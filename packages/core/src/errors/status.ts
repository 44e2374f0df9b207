/** The four statuses of a reply package. What is finer stands in the error's `code`. */
export const RSPCode = { OK: 0, ERROR: 1, INVALID_DATA: 2, PERMISSION_DENIED: 3 } as const

export type RSPCode = (typeof RSPCode)[keyof typeof RSPCode]
