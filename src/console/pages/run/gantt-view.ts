import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/** The horizontal part of the chart that is on the screen, in pixels. */
export interface View {
  left: number;
  width: number;
}

/** Returns the horizontal part of a scrolling element that is on the screen. */
export function useView(scroller: RefObject<HTMLDivElement | null>): View {
  const [view, setView] = useState<View>({ left: 0, width: 800 });
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      const [left, width] = [element.scrollLeft, element.clientWidth];
      setView((before) => (before.left === left && before.width === width ? before : { left, width }));
    };
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [scroller]);
  return view;
}

/** Keeps the same time in the middle of the screen when the zoom changes. */
export function useKeptCentre(scroller: RefObject<HTMLDivElement | null>, zoom: number, nameWidth: number): void {
  const before = useRef(zoom);
  useLayoutEffect(() => {
    const element = scroller.current;
    const factor = zoom / before.current;
    before.current = zoom;
    if (!element || factor === 1) return;
    const half = (element.clientWidth - nameWidth) / 2;
    element.scrollLeft = (element.scrollLeft + half) * factor - half;
  }, [scroller, zoom, nameWidth]);
}
