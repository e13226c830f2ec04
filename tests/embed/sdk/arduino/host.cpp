/* The sketch on a PC: Arduino's part, with its rules; a main as the core's. The IDE puts
 * Arduino.h in front of a sketch, too. */
#include "Arduino.h"

#include SKETCH

#include "wire.h"

#include <cstdio>
#include <cstring>
#include <pthread.h>

HardwareSerial Serial(false), Serial1(true);

static pthread_t sketch;

static void check_thread()
{
    rule(pthread_equal(sketch, pthread_self()) != 0, "setup and loop use the client, and nobody else");
}

static void interrupt(const uint8_t *data, size_t n)
{
    (void)fifo_put(data, n);
}

unsigned long millis()
{
    return static_cast<uint32_t>(uptime_ms()); /* unsigned long has 32 bits on most boards */
}

void yield()
{
    (void)fifo_wait(10);
}

void HardwareSerial::begin(unsigned long baud)
{
    rule(baud > 0, "a rate");
    if (modem_) {
        wire_start(interrupt);
    }
}

int HardwareSerial::available()
{
    check_thread();
    return modem_ ? static_cast<int>(fifo_count()) : 0;
}

int HardwareSerial::read()
{
    check_thread();
    uint8_t byte;
    return modem_ && fifo_get(&byte, 1) == 1 ? byte : -1;
}

size_t HardwareSerial::write(const uint8_t *buffer, size_t size)
{
    check_thread();
    if (modem_) {
        wire_send(buffer, size);
        return size;
    }
    return std::fwrite(buffer, 1, size, stdout);
}

size_t HardwareSerial::print(const char text[])
{
    return write(reinterpret_cast<const uint8_t *>(text), std::strlen(text));
}

size_t HardwareSerial::println(int value)
{
    return static_cast<size_t>(std::printf("%d\n", value));
}

int main()
{
    sketch = pthread_self();
    setup();
    for (int i = 0; i < 3; i++) {
        loop();
    }
    rule(talk("again\n", 6) == 0, "the server's end is the end of the conversation");
    rule(client.counters.timeouts == 0 && client.counters.unknown == 0, "an undisturbed line");
    return 0;
}
