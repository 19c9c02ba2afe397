// What a screen may tell the frame around it: its title, and whether it brings its own bar at the bottom of a phone.

class Shell {
  title = $state('Tocsin');
  ownBottomBar = $state(false);
}

export const shell = new Shell();
