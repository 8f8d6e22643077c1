"""What a hand does outside the page: clicks the window's cross, presses a key. WebDriver reaches neither.

hand.py close TITLE      asks the window with that title to close, as a window manager's cross does (ICCCM 4.2.8.1)
hand.py key NAME         presses a key in whatever has the focus
hand.py click TITLE X Y  clicks into the window with that title; X and Y are fractions of its size
hand.py drop TITLE X Y FILE…  drags files into the window from outside and lets them go there (XDND 5)
hand.py windows          prints the titles of all windows
"""

import sys
import time
from pathlib import Path

from Xlib import X, XK
from Xlib.display import Display
from Xlib.ext import xtest
from Xlib.protocol.event import ClientMessage, SelectionNotify

display = Display()


def windows(parent):
    for window in parent.query_tree().children:
        yield window
        yield from windows(window)


def titled():
    for window in windows(display.screen().root):
        name = window.get_full_text_property(display.intern_atom("_NET_WM_NAME")) or window.get_wm_name()
        if name:
            yield window, name


def the_one(title):
    found = [window for window, name in titled() if name == title and window.get_wm_protocols()]
    if len(found) != 1:
        sys.exit(f"{len(found)} windows are called {title!r}")
    return found[0]


def close(title):
    protocols, delete = (display.intern_atom(name) for name in ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
    window = the_one(title)
    window.send_event(ClientMessage(window=window, client_type=protocols, data=(32, [delete, X.CurrentTime, 0, 0, 0])))
    display.sync()


def click(title, x, y):
    window = the_one(title)
    size = window.get_geometry()
    corner = window.translate_coords(display.screen().root, 0, 0)
    # The answer counts from the other side: where the root's corner lies, seen from the window.
    at = (int(float(x) * size.width) - corner.x, int(float(y) * size.height) - corner.y)
    xtest.fake_input(display, X.MotionNotify, x=at[0], y=at[1])
    for kind in (X.ButtonPress, X.ButtonRelease):
        xtest.fake_input(display, kind, 1)
    display.sync()


def atom(name):
    return display.intern_atom(name)


def drop(title, x, y, *files):
    """The source's part of XDND: https://www.freedesktop.org/wiki/Specifications/XDND/"""
    target = the_one(title)
    size = target.get_geometry()
    corner = target.translate_coords(display.screen().root, 0, 0)
    at = (int(float(x) * size.width) - corner.x, int(float(y) * size.height) - corner.y)
    source = display.screen().root.create_window(0, 0, 1, 1, 0, X.CopyFromParent)
    source.set_selection_owner(atom("XdndSelection"), X.CurrentTime)
    uris = "".join(f"{Path(file).as_uri()}\r\n" for file in files).encode()

    def say(kind, *data):
        message = ClientMessage(window=target, client_type=atom(kind), data=(32, [source.id, *data]))
        target.send_event(message)
        display.flush()

    def listen(until, within=5):
        """Hands the files to whoever asks for them, until the target has said `until`."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            while display.pending_events():
                event = display.next_event()
                if event.type == X.SelectionRequest:
                    event.requestor.change_property(event.property, event.target, 8, uris)
                    done = SelectionNotify(
                        time=event.time, requestor=event.requestor, selection=event.selection,
                        target=event.target, property=event.property,
                    )
                    event.requestor.send_event(done)
                    display.flush()
                elif event.type == X.ClientMessage and event.client_type == atom(until):
                    return
            time.sleep(0.01)
        sys.exit(f"{title!r} never said {until}")

    say("XdndEnter", 5 << 24, atom("text/uri-list"), 0, 0)
    # The first motion makes the target ask for the files; it learns where they are from the next.
    for _ in range(4):
        say("XdndPosition", 0, at[0] << 16 | at[1], X.CurrentTime, atom("XdndActionCopy"))
        listen("XdndStatus")
        time.sleep(0.1)
    say("XdndDrop", 0, X.CurrentTime, 0, 0)
    listen("XdndFinished")


def key(name):
    code = display.keysym_to_keycode(XK.string_to_keysym(name))
    for kind in (X.KeyPress, X.KeyRelease):
        xtest.fake_input(display, kind, code)
    display.sync()


if sys.argv[1] == "windows":
    print("\n".join(name for window, name in titled() if window.get_attributes().map_state == X.IsViewable))
else:
    {"close": close, "key": key, "click": click, "drop": drop}[sys.argv[1]](*sys.argv[2:])
