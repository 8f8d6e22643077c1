/** Canvas sizes that have a name, and what is no canvas. */
export interface Size {
  width: number;
  height: number;
}

export const WIDE: Size[] = [{ width: 1280, height: 720 }, { width: 1920, height: 1080 }, { width: 2560, height: 1440 }, { width: 3840, height: 2160 }];
export const UPRIGHT: Size[] = WIDE.map(({ width, height }) => ({ width: height, height: width }));
export const RATES = [24, 25, 30, 50, 60];

/** As the engine has it: even sides of 64 pixels or more, at most 3840×2160 either way round. */
export function goodCanvas({ width, height }: Size): boolean {
  const [long, short] = [Math.max(width, height), Math.min(width, height)];
  return Number.isInteger(width) && Number.isInteger(height) && width % 2 === 0 && height % 2 === 0 && short >= 64 && long <= 3840 && short <= 2160;
}

export const named = (size: Size): boolean => [...WIDE, ...UPRIGHT].some((s) => s.width === size.width && s.height === size.height);
