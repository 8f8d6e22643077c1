import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { defineConfig } from 'vite';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // The desk is served at `/` by the engine and by the window alike; the viewer page stands under
  // `/watch/ROOM` with its assets at `/assets/`, so addresses are absolute.
  base: '/',
  plugins: [
    svelte(),
    paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/lib/paraglide',
      // Which language is shown is decided in `lib/locale.svelte.ts`, so that it changes live.
      strategy: ['baseLocale'],
    }),
  ],
  resolve: { alias: { $lib: here('./src/lib') } },
  build: {
    target: ['chrome110', 'firefox115', 'safari16'],
    // Saves the viewer page a file of its own; a browser without modulepreload only loads a little later.
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { desk: here('./index.html'), watch: here('./watch.html'), moderate: here('./moderate.html'), overlay: here('./overlay.html') },
      output: {
        // What StreamCore's two pages share with each other or with the desk has a name by which StreamCore finds it.
        // The viewer page takes the first one only: it carries no framework.
        advancedChunks: {
          groups: [
            { name: 'shared-chat', test: /\/(src\/chat|src\/money|src\/watch\/(room|words)|messages\/\w+\/(chat|engage|money|watch)\.json)/ },
            { name: 'shared-moderate', test: /\/(src\/moderate\/(acts|composing|engage|moderation|words|Words)\b|messages\/\w+\/(engaging|moderate)\.json)/ },
            { name: 'shared-svelte', test: /node_modules\/(svelte|esm-env|clsx)\// },
          ],
        },
      },
    },
  },
});
