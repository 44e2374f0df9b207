export const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`
export const megabytes = (bytes) => `${(bytes / 1_000_000).toFixed(1)} MB`
