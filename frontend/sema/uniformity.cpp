#include "frontend/sema/checker.h"
namespace rad::sema {
void checkUniformity(TypedProgram&, Kernel&, Diagnostics&) {}
}
