export { readScrape, type Scrape, type ScrapedFamily, type ScrapedSample } from './read-scrape.ts'
