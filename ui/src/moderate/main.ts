/** The moderators' page: takes the token out of the address, and puts the page on the screen. */
import { mount } from 'svelte';
import './moderate.css';
import Moderate from './Moderate.svelte';
import { takeToken } from './token';

const room = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const target = document.getElementById('app');
if (!target) throw new Error('the page has no #app');
mount(Moderate, { target, props: { room, token: takeToken(room) } });
