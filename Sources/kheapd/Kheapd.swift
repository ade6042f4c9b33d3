@main
struct Kheapd {
    static func main() { print("kheapd") }
}
