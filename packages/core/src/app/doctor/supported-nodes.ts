/** The lines of Node that have a native binary and that every release is tested on: `engines` of the packages says the same. */
export const supportedNodes = '20, 22 or 24'
