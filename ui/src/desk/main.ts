import { mount } from 'svelte';
import '@fontsource-variable/inter';
import '../tokens.css';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/forms.css';
import '../styles/desk.css';
import '../styles/audience.css';
import '../styles/viewers.css';
import '../styles/products.css';
import '../styles/money.css';
import '../styles/overlays.css';
import '../styles/welcome.css';
import { Studio } from '$lib/engine/studio.svelte';
import { findHost } from '$lib/host/host';
import { chooseTheme } from '$lib/theme';
import App from './App.svelte';

const target = document.getElementById('app');
if (target) {
  chooseTheme();
  const studio = new Studio(await findHost());
  mount(App, { target, props: { studio } });
  studio.start();
}
