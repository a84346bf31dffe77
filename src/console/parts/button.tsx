import type { ButtonHTMLAttributes } from "react";
import { Icon, type IconName } from "./icons.tsx";

type Kind = "primary" | "plain" | "danger" | "quiet";

const looks: Record<Kind, string> = {
  primary: "border-transparent bg-accent text-on-accent hover:brightness-110",
  plain: "border-line bg-surface text-text hover:bg-sunken",
  danger: "border-bad bg-surface text-bad hover:bg-bad-soft",
  quiet: "border-transparent bg-transparent text-muted hover:bg-sunken hover:text-text",
};

export const buttonLook = (kind: Kind = "plain") =>
  `inline-flex h-8 items-center justify-center gap-1.5 rounded-md border px-3 text-sm font-medium whitespace-nowrap select-none disabled:opacity-50 ${looks[kind]}`;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Kind;
  icon?: IconName;
}

/** A button. "primary" marks the main action of a page, and "danger" an action that deletes or stops something. */
export function Button({ kind = "plain", icon, className = "", children, ...more }: Props) {
  return (
    <button type="button" className={`${buttonLook(kind)} ${className}`} {...more}>
      {icon && <Icon name={icon} className="size-3.5" />}
      {children}
    </button>
  );
}

/** A button that shows only an icon. Screen readers read its label, and the label is shown on hover. */
export function IconButton({ icon, label, className = "", ...more }: Omit<Props, "kind"> & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-7 shrink-0 items-center justify-center rounded-md text-muted hover:bg-sunken hover:text-text disabled:opacity-50 ${className}`}
      {...more}
    >
      <Icon name={icon} className="size-3.5" />
    </button>
  );
}
