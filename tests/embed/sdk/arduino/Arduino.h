/* A stand-in for the tests: no more of Arduino than the sketch uses, with the same signatures. */
#ifndef Arduino_h
#define Arduino_h

#include <stddef.h>
#include <stdint.h>

unsigned long millis();
extern "C" void yield();

void setup();
void loop();

class HardwareSerial {
public:
    explicit HardwareSerial(bool modem) : modem_(modem) {}
    void begin(unsigned long baud);
    int available();
    int read();
    size_t write(const uint8_t *buffer, size_t size);
    size_t print(const char text[]);
    size_t println(int value);

private:
    bool modem_;
};

extern HardwareSerial Serial, Serial1;

#endif
