public enum ProcFile {}
