import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import './contrast.css'

const theme: Theme = { extends: DefaultTheme }

export default theme
