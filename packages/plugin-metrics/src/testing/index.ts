/**
 * Reads the page of metrics in tests.
 *
 * @packageDocumentation
 */
export { readScrape, type Scrape, type ScrapedFamily, type ScrapedSample } from './read-scrape.ts'
