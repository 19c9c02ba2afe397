// How many incidents are open and how many still ring; the navigation and the window's title read it.

class OpenCount {
  open = $state(0);
  ringing = $state(0);
}

export const openCount = new OpenCount();
